#!/bin/sh
# Subscriber 4 of the split ae00.
# A friend's reboot
set -eu

# What an earlier run made
ip -6 rule delete priority 102 from all to 2001:db8:ae04::/48 lookup 102 2>/dev/null || :
ip -6 rule delete priority 102 from 2001:db8:ae04::/48 lookup 102 2>/dev/null || :
ip -6 rule delete priority 101 from all to 2001:db8:ae00:4::/64 lookup 101 2>/dev/null || :
ip -6 rule delete priority 101 from 2001:db8:ae00:4::/64 lookup 101 2>/dev/null || :
ip -6 rule delete priority 100 from all to 2001:db8:ae00:0:4::/80 lookup 100 2>/dev/null || :
ip -6 rule delete priority 100 from 2001:db8:ae00:0:4::/80 lookup 100 2>/dev/null || :
ip -6 route delete unreachable 2001:db8:ae04::/48 table 102 metric 1024 proto static 2>/dev/null || :
ip -6 route delete unreachable 2001:db8:ae00:4::/64 table 102 metric 1024 proto static 2>/dev/null || :
ip -6 route delete unreachable 2001:db8:ae04::/48 table 101 metric 1024 proto static 2>/dev/null || :
ip -6 route delete unreachable 2001:db8:ae00:4::/64 table 101 metric 1024 proto static 2>/dev/null || :
ip -6 route delete unreachable 2001:db8:ae04::/48 table 100 metric 1024 proto static 2>/dev/null || :
ip -6 route delete unreachable 2001:db8:ae00:4::/64 table 100 metric 1024 proto static 2>/dev/null || :
ip -6 route delete unreachable 2001:db8:ae04::/48 metric 1024 proto static 2>/dev/null || :
ip -6 route delete unreachable 2001:db8:ae00:4::/64 metric 1024 proto static 2>/dev/null || :
ip link delete dev vxlan04 2>/dev/null || :

# Kernel parameters
sysctl -q -w net/ipv6/conf/eth0/accept_ra=2
sysctl -q -w net/ipv6/conf/all/forwarding=1

# Links
ip link add name vxlan04 address 02:74:00:00:04:02 mtu 1450 type vxlan id 4 dev eth0 remote 10.1.1.1 dstport 4789 nolearning

# Addresses
ip -6 address replace 2001:db8:ae00:0:4::2/80 dev vxlan04
ip -6 address replace 2001:db8:ae00:4::1/64 dev vxlan04 noprefixroute
ip -6 address replace 2001:db8:ae04::1/48 dev vxlan04 noprefixroute
ip link set dev vxlan04 up

# Routes
ip -6 route add unreachable 2001:db8:ae00:4::/64 metric 1024 proto static
ip -6 route add unreachable 2001:db8:ae04::/48 metric 1024 proto static
ip -6 route add 2001:db8:ae00:0:4::/80 dev vxlan04 table 100 metric 1024 proto static
ip -6 route add unreachable 2001:db8:ae00:4::/64 table 100 metric 1024 proto static
ip -6 route add unreachable 2001:db8:ae04::/48 table 100 metric 1024 proto static
ip -6 route add 2001:db8:ae00:0:4::/80 dev vxlan04 table 101 metric 1024 proto static
ip -6 route add unreachable 2001:db8:ae00:4::/64 table 101 metric 1024 proto static
ip -6 route add unreachable 2001:db8:ae04::/48 table 101 metric 1024 proto static
ip -6 route add 2001:db8:ae00:0:4::/80 dev vxlan04 table 102 metric 1024 proto static
ip -6 route add unreachable 2001:db8:ae00:4::/64 table 102 metric 1024 proto static
ip -6 route add unreachable 2001:db8:ae04::/48 table 102 metric 1024 proto static
ip -6 route add ::/0 via 2001:db8:ae00:0:4::1 dev vxlan04 table 100 metric 1024 proto static
ip -6 route add ::/0 via 2001:db8:ae00:0:4::1 dev vxlan04 table 101 metric 1024 proto static
ip -6 route add ::/0 via 2001:db8:ae00:0:4::1 dev vxlan04 table 102 metric 1024 proto static

# Policy rules
ip -6 rule add priority 100 from 2001:db8:ae00:0:4::/80 lookup 100
ip -6 rule add priority 100 from all to 2001:db8:ae00:0:4::/80 lookup 100
ip -6 rule add priority 101 from 2001:db8:ae00:4::/64 lookup 101
ip -6 rule add priority 101 from all to 2001:db8:ae00:4::/64 lookup 101
ip -6 rule add priority 102 from 2001:db8:ae04::/48 lookup 102
ip -6 rule add priority 102 from all to 2001:db8:ae04::/48 lookup 102
