// The explorer of thresholds: what was counted in Python is looked up, weighed by costs and shown.
// Labels and file names from the data are put in as text alone, never as markup.
"use strict";
(() => {
  // Of the normal distribution at 95 %.
  const Z = 1.959963984540054;
  const QUIET_MS = 500;
  const TOLERANCE = 1e-12;

  // Rates and costs of one decision, given by its hits and false alarms.

  const counter = (points) => {
    const { n_positive: positive, n_negative: negative, shares } = points;
    const n = positive + negative;
    const weights = shares ? [shares[0] / negative, shares[1] / positive] : [1 / n, 1 / n];

    // Wilson's interval of k in n, as distances from the rate.
    const distances = (k, n) => {
      const centre = (k + Z * Z / 2) / (n + Z * Z);
      const half = Z / (n + Z * Z) * Math.sqrt(k * (n - k) / n + Z * Z / 4);
      return [k / n - (centre - half), centre + half - k / n];
    };

    // Weighted rates in one, whose distances to the ends add up in squares (Zou and Donner 2008).
    const join = (parts) => {
      const found = { value: 0, below: 0, above: 0 };
      for (const [weight, k, n] of parts) {
        const [down, up] = distances(k, n);
        const [below, above] = weight < 0 ? [up, down] : [down, up];
        found.value += weight * k / n;
        found.below += (weight * below) ** 2;
        found.above += (weight * above) ** 2;
      }
      const { value, below, above } = found;
      return { value, low: value - Math.sqrt(below), high: value + Math.sqrt(above) };
    };

    const weigh = (alarm, miss, falseAlarms, missed) => join(
      shares
        ? [[alarm * shares[0], falseAlarms, negative], [miss * shares[1], missed, positive]]
        : [[alarm, falseAlarms, n], [miss, missed, n]],
    );
    const alertsOf = ({ hits, falseAlarms }) => hits + falseAlarms;

    return {
      recall: ({ hits }) => hits / positive,
      precision: ({ hits, falseAlarms }) => {
        const right = weights[1] * hits;
        return right / (right + weights[0] * falseAlarms);
      },
      alerts: ({ hits, falseAlarms }) => weights[1] * hits + weights[0] * falseAlarms,
      cost: ({ hits, falseAlarms }, { alarm, miss }) =>
        weigh(alarm, miss, falseAlarms, positive - hits),
      // What one decision saves against another, on the rows that they decide differently.
      saved: (one, other, { alarm, miss }) => {
        const sign = alertsOf(other) > alertsOf(one) ? 1 : -1;
        const falseAlarms = sign * (other.falseAlarms - one.falseAlarms);
        return weigh(sign * alarm, -sign * miss, falseAlarms, sign * (other.hits - one.hits));
      },
    };
  };

  // Numbers as they are read.

  const trim = (value, digits) => Number(value.toPrecision(digits)).toString();
  const figure = (value) => {
    const size = Math.abs(value);
    if (Number.isNaN(value)) return "–";
    if (size >= 99.95) return Math.round(value).toLocaleString("en");
    return size >= 0.95 || size === 0 ? value.toFixed(1) : trim(value, 2);
  };
  const percent = (share) => (Number.isNaN(share) ? "–" : `${figure(100 * share)} %`);
  const thousand = (value) => figure(1000 * value);
  const span = (low, high) => `${thousand(low)} to ${thousand(high)}`;
  const percents = ([lows, highs], i) => `${figure(100 * lows[i])} to ${figure(100 * highs[i])} %`;

  // Which point serves what is asked for; -1 if none does.

  const best = (places, value) => {
    const values = places.map(value);
    const most = Math.max(...values);
    const equal = places.filter((_, i) => values[i] >= most - TOLERANCE);
    return equal.length ? equal[Math.floor(equal.length / 2)] : -1;
  };

  const explore = (root, points) => {
    const find = (id) => document.getElementById(`explorer-${id}`);
    const count = counter(points);
    const places = points.thresholds.map((_, i) => i);
    const at = (i) => ({ hits: points.hits[i], falseAlarms: points.false_alarms[i] });
    const costs = { alarm: points.costs[0], miss: points.costs[1] };
    const others = {
      exported: points.exported === null ? null : at(points.exported),
      plain: at(points.plain),
      nobody: { hits: 0, falseAlarms: 0 },
      everybody: { hits: points.n_positive, falseAlarms: points.n_negative },
    };
    let quiet = 0;

    const put = (row, cells) => {
      const found = row.querySelectorAll("td");
      cells.forEach((text, i) => { found[i].textContent = text; });
    };

    const showFigures = (i) => {
      const here = at(i);
      const cost = count.cost(here, costs);
      const rows = {
        recall: [percent(count.recall(here)), percents(points.recall, i)],
        precision: [percent(count.precision(here)),
          here.hits + here.falseAlarms ? percents(points.precision, i) : "no alert"],
        alerts: [thousand(count.alerts(here)), span(points.alerts[0][i], points.alerts[1][i])],
        cost: [thousand(cost.value), span(cost.low, cost.high)],
      };
      for (const [name, cells] of Object.entries(rows)) {
        put(root.querySelector(`[data-figure="${name}"]`), cells);
      }
      const counts = {
        hits: here.hits, missed: points.n_positive - here.hits,
        false_alarms: here.falseAlarms, left: points.n_negative - here.falseAlarms,
      };
      for (const [name, n] of Object.entries(counts)) {
        root.querySelector(`[data-count="${name}"]`).textContent = n.toLocaleString("en");
      }
      find("costs").textContent = `, a miss at ${costs.miss}, a false alarm at ${costs.alarm}`;
      return rows;
    };

    const showBeside = (i) => {
      const thresholds = {
        this: points.thresholds[i], exported: points.thresholds[points.exported],
        plain: points.thresholds[points.plain], nobody: "–", everybody: "–",
      };
      for (const [name, other] of Object.entries({ this: at(i), ...others })) {
        if (other === null) continue;
        const here = at(i);
        const isSame = other.hits === here.hits && other.falseAlarms === here.falseAlarms;
        const saved = count.saved(here, other, costs);
        put(root.querySelector(`[data-beside="${name}"]`), [
          thresholds[name] === "–" ? "–" : trim(thresholds[name], 3),
          percent(count.recall(other)), percent(count.precision(other)),
          thousand(count.alerts(other)), thousand(count.cost(other, costs).value),
          isSame ? "–" : `${thousand(saved.value)} (${span(saved.low, saved.high)})`,
        ]);
      }
    };

    // Everything that is seen follows from a point, why it was taken, and a decision asked for.
    const show = (i, why, asked = null) => {
      const threshold = points.thresholds[i];
      const slider = find("slider");
      slider.value = places.length - 1 - i;
      const rows = showFigures(i);
      const rates = `recall ${rows.recall[0]}, precision ${rows.precision[0]}`;
      slider.setAttribute("aria-valuetext", `threshold ${trim(threshold, 3)}, ${rates}`);
      if (document.activeElement !== find("threshold")) find("threshold").value = threshold;
      showBeside(i);
      find("lead").textContent = `Threshold ${trim(threshold, 3)}${why}`;
      find("command").textContent = `${points.command} --threshold ${threshold}`;
      find("asking").hidden = asked === null;
      find("aim").textContent = asked && `${points.command} ${asked.options}`;
      find("differs").textContent = asked && asked.differs;
      for (const each of root.querySelectorAll("[data-aim]")) {
        each.classList.toggle("current", Boolean(asked) && each.dataset.aim === asked.kind);
      }
      find("trouble").textContent = "";
      find("copied").textContent = "";
      clearTimeout(quiet);
      quiet = setTimeout(() => {
        find("said").textContent = `Threshold ${trim(threshold, 3)}${why}: ${rates}, `
          + `${rows.alerts[0]} alerts and a cost of ${rows.cost[0]} per 1,000 cases.`;
      }, QUIET_MS);
      document.dispatchEvent(new CustomEvent("autoimb:threshold", { detail: { threshold, index: i } }));
    };

    const current = () => places.length - 1 - Number(find("slider").value);
    const read = (id, fits) => {
      const field = find(id);
      const value = field.value === "" ? NaN : Number(field.value);
      field.setAttribute("aria-invalid", String(!fits(value)));
      return fits(value) ? value : null;
    };
    const refuse = (text) => {
      show(current(), "");
      find("trouble").textContent = text;
    };

    const seekCosts = () => {
      const miss = read("miss", (x) => x > 0 && x < Infinity);
      const alarm = read("alarm", (x) => x > 0 && x < Infinity);
      if (miss === null || alarm === null) return refuse("Costs are two numbers above 0.");
      Object.assign(costs, { miss, alarm });
      const i = best(places, (place) => -count.cost(at(place), costs).value);
      return show(i, `, the cheapest where a miss costs ${miss} and a false alarm ${alarm}`, {
        kind: "costs", options: `--cost-fp ${alarm} --cost-fn ${miss}`,
        differs: "Where positives are few, retune settles on a mean over resamples and so may end "
          + "up a little elsewhere.",
      });
    };

    const seekFloor = () => {
      const name = find("rate").value;
      const asked = read("floor", (x) => x > 0 && x <= 100);
      if (asked === null) return refuse("A floor is a percentage above 0 and up to 100.");
      const wanted = name === "recall" ? "precision" : "recall";
      const some = places.filter((i) => points.hits[i] > 0);
      const kept = some.filter((i) => count[name](at(i)) >= asked / 100 - TOLERANCE);
      if (!kept.length) {
        const most = Math.max(0, ...some.map((i) => count[name](at(i))));
        return refuse(`No threshold has a ${name} of ${asked} % here; ${percent(most)} is the most.`);
      }
      const most = best(kept, (i) => count[wanted](at(i)));
      // Of equal ones the one that keeps the most of the other, too.
      const equal = kept.filter((i) => count[wanted](at(i)) >= count[wanted](at(most)) - TOLERANCE);
      const i = best(equal, (place) => count[name](at(place)));
      const option = `--min-${name} ${trim(asked / 100, 12)}`;
      return show(i, `, the most ${wanted} with a ${name} of at least ${asked} %`, asked === 100 ? null : {
        kind: "floor", options: option,
        differs: `Here ${name} is what was counted. retune promises it for rows to come with 90 % `
          + "confidence and so keeps on the safe side; it refuses what these rows cannot support.",
      });
    };

    const seekCapacity = () => {
      const asked = read("capacity", (x) => x > 0 && x <= 1000);
      if (asked === null) return refuse("A capacity is a number of cases above 0 and up to 1,000.");
      const within = places.filter((i) => count.alerts(at(i)) <= asked / 1000 + TOLERANCE);
      if (!within.some((i) => count.alerts(at(i)) > 0)) {
        return refuse("The cases with the highest probability are tied, and more than that.");
      }
      const i = within[within.length - 1];
      return show(i, `, with at most ${asked} alerts per 1,000 cases`, asked === 1000 ? null : {
        kind: "capacity", options: `--top-share ${trim(asked / 1000, 12)}`,
        differs: "That flags the same share of every batch, whatever its probabilities are.",
      });
    };

    const seekThreshold = () => {
      const asked = read("threshold", (x) => x >= 0 && x <= 1);
      if (asked === null) return refuse("A threshold is a probability between 0 and 1.");
      return show(best(places, (i) => -Math.abs(points.thresholds[i] - asked)), "");
    };

    const copy = async (button) => {
      const source = document.getElementById(button.dataset.copy);
      let told = "Copied.";
      try {
        await navigator.clipboard.writeText(source.textContent);
      } catch {
        window.getSelection().selectAllChildren(source);
        told = document.execCommand("copy") ? "Copied." : "Selected: copy it with Ctrl+C.";
      }
      find("copied").textContent = told;
    };

    const on = (ids, what) => ids.forEach((id) => find(id).addEventListener("input", what));
    // What was asked for before is not left standing beside what is asked for since.
    const forget = (...ids) => ids.forEach((id) => {
      find(id).value = "";
      find(id).removeAttribute("aria-invalid");
    });
    on(["slider", "threshold", "miss", "alarm"], () => forget("floor", "capacity"));
    on(["slider"], () => show(current(), ""));
    on(["threshold"], seekThreshold);
    on(["miss", "alarm"], seekCosts);
    on(["rate", "floor"], () => { if (find("floor").value !== "") { forget("capacity"); seekFloor(); } });
    on(["capacity"], () => { if (find("capacity").value !== "") { forget("floor"); seekCapacity(); } });
    find("threshold").addEventListener("change", () => {
      find("threshold").value = points.thresholds[current()];
    });
    root.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (!button) return;
      if (button.dataset.copy) copy(button);
      if (button.dataset.point) {
        const name = button.dataset.point;
        forget("floor", "capacity");
        show(points[name], name === "plain" ? ", where nothing is tuned" : ", as exported");
      }
    });
    root.classList.add("live");
    show(points.start, points.start === points.exported ? ", as exported" : "");
  };

  const start = () => {
    const root = document.getElementById("explorer");
    const stored = document.getElementById("operating-points");
    if (root && stored) explore(root, JSON.parse(stored.textContent));
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
