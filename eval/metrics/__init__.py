"""Metrics as versioned specifications and the pure functions behind them."""
