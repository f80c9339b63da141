"""What Safelight reaches on this machine, by one command: `make bench`. See README, "Figures"."""
