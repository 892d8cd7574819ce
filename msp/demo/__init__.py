"""The whole portal by one command: embedded servers, a seeded world, every process, watched and restarted."""
