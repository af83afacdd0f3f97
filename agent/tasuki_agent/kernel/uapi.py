"""Numbers of the kernel's user interface, under the names that linux/rtnetlink.h and its like give them.

Plain integers: enumeration members would cost a method call for each comparison of the hot path.
"""

from typing import Final

# asm-generic/socket.h
SO_ATTACH_FILTER: Final = 26
SO_RCVBUFFORCE: Final = 33
SO_NETNS_COOKIE: Final = 71

# linux/in.h
IP_FREEBIND: Final = 15

# linux/socket.h
AF_INET: Final = 2
AF_INET6: Final = 10

# linux/netlink.h
NETLINK_ROUTE: Final = 0
NETLINK_NETFILTER: Final = 12
SOL_NETLINK: Final = 270
NETLINK_ADD_MEMBERSHIP: Final = 1
NETLINK_CAP_ACK: Final = 10
NETLINK_EXT_ACK: Final = 11
NETLINK_GET_STRICT_CHK: Final = 12

NLM_F_REQUEST: Final = 0x1
NLM_F_ACK: Final = 0x4
NLM_F_DUMP_INTR: Final = 0x10
NLM_F_ACK_TLVS: Final = 0x200
NLM_F_DUMP: Final = 0x300
NLM_F_REPLACE: Final = 0x100
NLM_F_EXCL: Final = 0x200
NLM_F_CREATE: Final = 0x400

NLMSG_ERROR: Final = 2
NLMSG_DONE: Final = 3
NLMSG_MIN_TYPE: Final = 16

NLMSGERR_ATTR_MSG: Final = 1
NLMSGERR_ATTR_OFFS: Final = 2

NLA_F_NESTED: Final = 0x8000
NLA_TYPE_MASK: Final = 0x3FFF

# linux/rtnetlink.h
RTM_NEWLINK: Final = 16
RTM_DELLINK: Final = 17
RTM_GETLINK: Final = 18
RTM_NEWADDR: Final = 20
RTM_DELADDR: Final = 21
RTM_GETADDR: Final = 22
RTM_NEWROUTE: Final = 24
RTM_DELROUTE: Final = 25
RTM_GETROUTE: Final = 26
RTM_NEWRULE: Final = 32
RTM_DELRULE: Final = 33
RTM_GETRULE: Final = 34
RTM_NEWNETCONF: Final = 80
RTM_DELNETCONF: Final = 81

RTNLGRP_LINK: Final = 1
RTNLGRP_IPV4_IFADDR: Final = 5
RTNLGRP_IPV4_ROUTE: Final = 7
RTNLGRP_IPV4_RULE: Final = 8
RTNLGRP_IPV6_IFADDR: Final = 9
RTNLGRP_IPV6_ROUTE: Final = 11
RTNLGRP_IPV6_RULE: Final = 19
RTNLGRP_IPV4_NETCONF: Final = 24
RTNLGRP_IPV6_NETCONF: Final = 25

RTEXT_FILTER_SKIP_STATS: Final = 0x8

RTPROT_UNSPEC: Final = 0
RTPROT_BOOT: Final = 3
RTPROT_STATIC: Final = 4
RTPROT_DHCP: Final = 16

RT_TABLE_UNSPEC: Final = 0
RT_TABLE_DEFAULT: Final = 253
RT_TABLE_MAIN: Final = 254
RT_TABLE_LOCAL: Final = 255

RT_SCOPE_UNIVERSE: Final = 0
RT_SCOPE_LINK: Final = 253
RT_SCOPE_HOST: Final = 254
RT_SCOPE_NOWHERE: Final = 255

RTN_UNICAST: Final = 1
RTN_LOCAL: Final = 2

RTNH_F_ONLINK: Final = 0x4

RTA_DST: Final = 1
RTA_OIF: Final = 4
RTA_GATEWAY: Final = 5
RTA_PRIORITY: Final = 6
RTA_MULTIPATH: Final = 9
RTA_TABLE: Final = 15
RTA_VIA: Final = 18

# linux/if_link.h
IFF_UP: Final = 0x1
IFLA_ADDRESS: Final = 1
IFLA_IFNAME: Final = 3
IFLA_MTU: Final = 4
IFLA_LINKINFO: Final = 18
IFLA_GROUP: Final = 27
IFLA_EXT_MASK: Final = 29
IFLA_INFO_KIND: Final = 1
IFLA_INFO_DATA: Final = 2

# linux/if_addr.h
IFAPROT_UNSPEC: Final = 0
IFA_ADDRESS: Final = 1
IFA_LOCAL: Final = 2
IFA_CACHEINFO: Final = 6
IFA_FLAGS: Final = 8
IFA_PROTO: Final = 11
IFA_F_TEMPORARY: Final = 0x1
IFA_F_NODAD: Final = 0x2
IFA_F_OPTIMISTIC: Final = 0x4
IFA_F_DADFAILED: Final = 0x8
IFA_F_DEPRECATED: Final = 0x20
IFA_F_TENTATIVE: Final = 0x40
IFA_F_PERMANENT: Final = 0x80
IFA_F_NOPREFIXROUTE: Final = 0x200

# linux/fib_rules.h
FIB_RULE_INVERT: Final = 0x2
FRA_DST: Final = 1
FRA_SRC: Final = 2
FRA_PRIORITY: Final = 6
FRA_SUPPRESS_IFGROUP: Final = 13
FRA_SUPPRESS_PREFIXLEN: Final = 14
FRA_TABLE: Final = 15
FRA_PROTOCOL: Final = 21
FR_ACT_TO_TBL: Final = 1

# linux/netfilter.h
NFPROTO_INET: Final = 1

# linux/netfilter/nfnetlink.h: a type of messages is the subsystem and, in the low byte, a number of its own.
NFNLGRP_NFTABLES: Final = 7
NFNL_SUBSYS_NFTABLES: Final = 10 << 8

# linux/netfilter/nf_tables.h
NFT_MSG_GETTABLE: Final = NFNL_SUBSYS_NFTABLES | 1
NFT_MSG_NEWGEN: Final = NFNL_SUBSYS_NFTABLES | 15
NFT_MSG_GETGEN: Final = NFNL_SUBSYS_NFTABLES | 16
NFTA_GEN_ID: Final = 1
NFTA_TABLE_NAME: Final = 1
NFTA_TABLE_HANDLE: Final = 4
NFTA_TABLE_USERDATA: Final = 6
