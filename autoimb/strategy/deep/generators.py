"""Networks that learn to draw rows of a class: how each is trained, and how it draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from autoimb.strategy.deep.networks import Adam, Network, RowsByClass, normal

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Draw", "train_adversaries", "train_denoiser", "train_variational"]

# Rows of a class code, so many of them.
Draw = Callable[[int, int], "Tensor"]

N_BATCH = 128
RATE = 0.01
# A column that is reconstructed better than this is taken to be as it is: about a tenth of what
# sets rows apart.
MIN_LOG_WIDTH = -3.0
# Of two adversaries neither is to run ahead on an old gradient (Gulrajani et al. 2017).
ADVERSARIAL_FIRST_DECAY = 0.0
N_ADVERSARIAL_BATCH = 64
# Less than for pictures: a slope held too close to 1 blurs what differs in a few columns.
PENALTY = 1.0
# Part that the latest weights have in those that draw.
AVERAGING = 0.02


def train_denoiser(rows: RowsByClass, *, noise: float, hidden: int, n_steps: int) -> Draw:
    """Train a network that finds rows from noisy ones.

    What it draws is a row of the class, made noisy and found again, with the error that was made
    at another one: so are rows of a class distributed themselves, if the network is good (Bengio,
    Yao, Alain and Vincent 2013).

    Parameters
    ----------
    rows : RowsByClass
    noise : float
        Standard deviation, where that of a column is 1.
    hidden : int
        Units of either hidden layer.
    n_steps : int

    Returns
    -------
    callable
    """
    import torch

    n = rows.n_features
    network = Network((n + rows.n_classes, hidden, hidden, n), rows.generator)
    adam = Adam(network.weights, n_steps, RATE)

    def found(x: Tensor, marks: Tensor) -> Tensor:
        noisy = x + noise * rows.noise(len(x), n)
        return noisy + network(torch.cat([noisy, marks], dim=1))

    for _ in range(n_steps):
        x, marks = rows.batch(N_BATCH)
        adam.step((found(x, marks) - x).square().mean())

    def draw(code: int, n_rows: int) -> Tensor:
        x, marks = rows.of(code, n_rows)
        other, _ = rows.of(code, n_rows)
        return found(x, marks) + other - found(other, marks)

    return draw


def train_variational(
    rows: RowsByClass, *, source: str, latent_dim: int, hidden: int, n_steps: int
) -> Draw:
    """Train an encoder to few latent numbers, and a decoder from them.

    How wide each column of a class is spread around what is decoded is learned too (Rybkin,
    Daniilidis and Levine 2021).

    Parameters
    ----------
    rows : RowsByClass
    source : {"posterior", "prior"}
        Latent numbers that rows are drawn from: those of rows of the class, or any.
    latent_dim, hidden, n_steps : int

    Returns
    -------
    callable
    """
    import torch

    n, K = rows.n_features, rows.n_classes
    encoder = Network((n + K, hidden, hidden, 2 * latent_dim), rows.generator)
    decoder = Network((latent_dim + K, hidden, hidden, n), rows.generator)
    log_width = (rows.noise(K, n) * 0 - 1).requires_grad_()
    adam = Adam([*encoder.weights, *decoder.weights, log_width], n_steps, RATE)

    def encode(x: Tensor, marks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_deviation = encoder(torch.cat([x, marks], dim=1)).chunk(2, dim=1)
        log_deviation = log_deviation.clamp(-5, 2)
        latent = mean + log_deviation.exp() * rows.noise(len(x), latent_dim)
        return latent, mean, log_deviation

    for step in range(n_steps):
        x, marks = rows.batch(N_BATCH)
        latent, mean, log_deviation = encode(x, marks)
        error = decoder(torch.cat([latent, marks], dim=1)) - x
        held = (marks @ log_width).clamp(min=MIN_LOG_WIDTH)
        unlikely = (error / held.exp()).square() / 2 + held
        information = (mean.square() + (2 * log_deviation).exp() - 1) / 2 - log_deviation
        # Latent numbers that cost at once would never be used (Sønderby et al. 2016).
        price = min(1.0, 2 * step / n_steps)
        adam.step((unlikely.sum(dim=1) + price * information.sum(dim=1)).mean())

    def draw(code: int, n_rows: int) -> Tensor:
        x, marks = rows.of(code, n_rows)
        from_prior = source == "prior"
        latent = rows.noise(n_rows, latent_dim) if from_prior else encode(x, marks)[0]
        width = (marks @ log_width).clamp(min=MIN_LOG_WIDTH).exp()
        return decoder(torch.cat([latent, marks], dim=1)) + width * rows.noise(n_rows, n)

    return draw


def train_adversaries(
    rows: RowsByClass, *, latent_dim: int, n_critic: int, hidden: int, n_steps: int
) -> Draw:
    """Train a generator against a critic that tells its rows from real ones.

    Parameters
    ----------
    rows : RowsByClass
    latent_dim : int
        Random numbers that a row is made of.
    n_critic : int
        Steps of the critic for one of the generator.
    hidden, n_steps : int

    Returns
    -------
    callable
    """
    import torch

    n, K = rows.n_features, rows.n_classes
    generator = Network((latent_dim + K, hidden, hidden, n), rows.generator)
    critic = Network((n + K, hidden, hidden, 1), rows.generator)
    learn = Adam(generator.weights, n_steps, RATE / 3, first_decay=ADVERSARIAL_FIRST_DECAY)
    judge = Adam(critic.weights, n_steps * n_critic, RATE, first_decay=ADVERSARIAL_FIRST_DECAY)
    averaged = learn.vector.clone()

    def generate(marks: Tensor) -> Tensor:
        return generator(torch.cat([rows.noise(len(marks), latent_dim), marks], dim=1))

    for _ in range(n_steps):
        for _ in range(n_critic):
            judge.step(_criticism(critic, rows, generate))
        _, marks = rows.batch(N_ADVERSARIAL_BATCH)
        learn.step(-critic(torch.cat([generate(marks), marks], dim=1)).mean())
        averaged.lerp_(learn.vector, AVERAGING)
    learn.vector.copy_(averaged)
    return lambda code, n_rows: generate(rows.of(code, n_rows)[1])


def _criticism(critic: Network, rows: RowsByClass, generate: Callable[[Tensor], Tensor]) -> Tensor:
    """Give the critic's loss: Wasserstein distance and penalised slope (eq. 3 of Gulrajani)."""
    import torch

    x, marks = rows.batch(N_ADVERSARIAL_BATCH)
    made = generate(marks).detach()
    part = normal(N_ADVERSARIAL_BATCH, 1, rows.generator).sigmoid()
    between = (part * x + (1 - part) * made).requires_grad_()
    scores = critic(torch.cat([between, marks], dim=1))
    (slope,) = torch.autograd.grad(scores.sum(), between, create_graph=True)
    penalty = (slope.square().sum(dim=1).add(1e-12).sqrt() - 1).square().mean()
    distance = critic(torch.cat([x, marks], dim=1)).mean()
    distance = distance - critic(torch.cat([made, marks], dim=1)).mean()
    return PENALTY * penalty - distance
