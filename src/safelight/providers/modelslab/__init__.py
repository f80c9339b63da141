"""ModelsLab: pictures through its v7 and v6 interfaces, polled. Raw HTTP: it has no official client for them."""
