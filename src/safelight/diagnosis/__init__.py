"""Why is my picture not there? Facts are gathered once, rules draw findings from them, ranking puts the root first."""
