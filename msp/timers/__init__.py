"""What follows when time has run: people are told, tickets passed up, and resolved ones closed."""
