"""What makes the data hard."""
