"""Puts requests through istiod's translation and a real Envoy, and holds meshlint to the answers."""
