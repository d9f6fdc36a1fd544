"""The charts of the report, in plain values that Plotly draws."""
