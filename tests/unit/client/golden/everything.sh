#!/bin/sh
# Subscriber 4 of the split ae00.
# A friend's reboot
set -eu

# What an earlier run made
ip -6 rule delete priority 300 from all lookup 100 2>/dev/null || :
ip -6 rule delete priority 200 from 2001:db8:aeff::/48 to 2001:db8::/32 lookup 100 2>/dev/null || :
ip -4 rule delete priority 50 from 192.0.2.0/30 to 192.0.2.0/24 lookup 100 2>/dev/null || :
ip -4 route delete 198.51.100.0/24 via 192.0.2.1 metric 5 proto static 2>/dev/null || :
ip -6 route delete unreachable 2001:db8:b::/48 metric 1024 proto static 2>/dev/null || :
ip -6 route delete prohibit 2001:db8:a::/48 metric 1024 proto static 2>/dev/null || :
ip -4 route delete blackhole 203.0.113.0/24 proto static 2>/dev/null || :
ip link delete dev down1 2>/dev/null || :
ip link delete dev vxlan1ff 2>/dev/null || :

# Kernel parameters
sysctl -q -w net/ipv6/conf/eth0.100/accept_ra=1
sysctl -q -w 'net/ipv6/conf/lan;$(reboot)'"'"'/accept_ra=0'
sysctl -q -w net/ipv4/conf/all/forwarding=0
sysctl -q -w net/ipv6/conf/all/forwarding=1

# Links
ip link add name vxlan1ff mtu 1430 type vxlan id 511 dev eth0.100 remote 2001:db8:1::1 local 2001:db8:2::2 dstport 8472 learning
ip link add name down1 type vxlan id 2 dev eth0.100 remote 192.0.2.1 dstport 4789 nolearning

# Addresses
ip -4 address replace 192.0.2.2/30 dev vxlan1ff noprefixroute
ip -6 address replace 2001:db8:ae00:0:ff::2/80 dev vxlan1ff
ip link set dev vxlan1ff up
ip -6 address replace 2001:db8:aeff::1/64 dev 'lan;$(reboot)'"'"'' noprefixroute

# Routes
ip -4 route add blackhole 203.0.113.0/24 proto static
ip -4 route add 192.0.2.0/30 dev vxlan1ff proto static
ip -6 route add prohibit 2001:db8:a::/48 metric 1024 proto static
ip -6 route add unreachable 2001:db8:b::/48 metric 1024 proto static
ip -6 route add 2001:db8:ae00:0:ff::/80 dev vxlan1ff table 100 metric 1024 proto static
ip -4 route add 198.51.100.0/24 via 192.0.2.1 metric 5 proto static
ip -6 route add ::/0 via 2001:db8:ae00:0:ff::1 dev vxlan1ff table 100 metric 1024 proto static

# Policy rules
ip -4 rule add priority 50 from 192.0.2.0/30 to 192.0.2.0/24 lookup 100
ip -6 rule add priority 200 from 2001:db8:aeff::/48 to 2001:db8::/32 lookup 100
ip -6 rule add priority 300 from all lookup 100
