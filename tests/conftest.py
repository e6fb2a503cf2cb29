pytest_plugins: list[str] = ["tests.servers.valkey", "tests.servers.seaweedfs"]
