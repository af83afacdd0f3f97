"""What operators call: one module per gRPC service."""
