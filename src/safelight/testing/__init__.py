"""What authors of adapters test with: fakes, stand-ins, servers and conformance suites."""
