"""Pictures drawn from a prompt and a seed with numpy and Pillow: no model, no key, no network, and never called AI."""
