"""The controller: it holds what the network shall be, and hands each router its part.

gRPC reads the two settings below once, when it is first imported, which may be anywhere under this package.
"""

import os

# BoringSSL has no setting for the lowest TLS version that reaches Python. Cipher suites for TLS 1.2 that need
# a pre-shared key, which nobody has, leave TLS 1.3 as the only handshake that can succeed, whatever the key.
os.environ["GRPC_SSL_CIPHER_SUITES"] = "ECDHE-PSK-CHACHA20-POLY1305"
# Handlers that stop all threads around a fork are of no use to a process that never forks.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
