#!/bin/sh
# Subscriber 4 of the split ae00.
# A friend's reboot
set -eu

# What an earlier run made
ip -6 route delete unreachable 2001:db8:ae02::/48 metric 1024 proto static 2>/dev/null || :
ip -6 route delete unreachable 2001:db8:ae00:2::/64 metric 1024 proto static 2>/dev/null || :
ip link delete dev vxlan02 2>/dev/null || :

# Kernel parameters
sysctl -q -w net/ipv6/conf/enp6s0f1/accept_ra=2
sysctl -q -w net/ipv6/conf/all/forwarding=1

# Links
ip link add name vxlan02 address 02:74:00:00:02:02 mtu 1450 type vxlan id 2 dev enp6s0f1 remote 10.1.1.1 dstport 4789 nolearning

# Addresses
ip -6 address replace 2001:db8:ae00:0:2::2/80 dev vxlan02
ip -6 address replace 2001:db8:ae00:2::1/64 dev vxlan02 noprefixroute
ip -6 address replace 2001:db8:ae02::1/48 dev vxlan02 noprefixroute
ip link set dev vxlan02 up

# Routes
ip -6 route add unreachable 2001:db8:ae00:2::/64 metric 1024 proto static
ip -6 route add unreachable 2001:db8:ae02::/48 metric 1024 proto static
ip -6 route add ::/0 via 2001:db8:ae00:0:2::1 dev vxlan02 metric 512 proto static
