"""What operators see of a running sink: health, metrics, gaps."""
