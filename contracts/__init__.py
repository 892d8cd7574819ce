"""What we promised: terms, clocks over them, and the statements that follow."""
