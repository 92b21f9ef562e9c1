/* The workload `queue` as a minimal C program with libmnl does it. Prints the same line as the others.
 *
 *     cc -O2 -o queue queue.c -lmnl && ./queue queue 100000
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { ROUND = 20000, SIZE = 64, PORT = 5000, ROOM = 64 << 20 };

static struct mnl_socket *nl;
static char buffer[65536 + 4096];
static char out[256];
static unsigned long long sum;

static void check(int good, const char *what)
{
	if (!good) {
		perror(what);
		exit(1);
	}
}

static struct nlmsghdr *begin(int type)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(out);
	nlh->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | type;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = AF_UNSPEC;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(0);
	return nlh;
}

static int attribute(const struct nlattr *attr, void *data)
{
	const struct nlattr **table = data;
	if (mnl_attr_type_valid(attr, NFQA_MAX) >= 0)
		table[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static int packet(const struct nlmsghdr *nlh, void *data)
{
	struct nlattr *table[NFQA_MAX + 1] = {};
	mnl_attr_parse(nlh, sizeof(struct nfgenmsg), attribute, table);
	struct nfqnl_msg_packet_hdr *header = mnl_attr_get_payload(table[NFQA_PACKET_HDR]);
	sum += mnl_attr_get_payload_len(table[NFQA_PAYLOAD]);
	struct nlmsghdr *verdict = begin(NFQNL_MSG_VERDICT);
	struct nfqnl_msg_verdict_hdr said = { .verdict = htonl(NF_DROP), .id = header->packet_id };
	mnl_attr_put(verdict, NFQA_VERDICT_HDR, sizeof(said), &said);
	check(mnl_socket_sendto(nl, verdict, verdict->nlmsg_len) > 0, "send");
	return MNL_CB_OK;
}

static unsigned long long ns(struct timeval t)
{
	return t.tv_sec * 1000000000ull + t.tv_usec * 1000ull;
}

int main(int argc, char **argv)
{
	check(argc == 3, "queue COUNT");
	unsigned long count = strtoul(argv[2], NULL, 10);
	check(unshare(CLONE_NEWNET) == 0, "unshare");
	check(system("ip link set lo up") == 0, "ip");
	check(system("iptables -w -A OUTPUT -p udp --dport 5000 -j NFQUEUE --queue-num 0") == 0, "iptables");

	nl = mnl_socket_open(NETLINK_NETFILTER);
	check(nl && mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0, "netlink");
	int room = ROOM, one = 1;
	check(!setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)), "room");
	check(mnl_socket_setsockopt(nl, NETLINK_NO_ENOBUFS, &one, sizeof(one)) == 0, "no enobufs");
	unsigned port = mnl_socket_get_portid(nl);
	struct nlmsghdr *config = begin(NFQNL_MSG_CONFIG);
	struct nfqnl_msg_config_cmd command = { .command = NFQNL_CFG_CMD_BIND };
	struct nfqnl_msg_config_params params = { .copy_range = htonl(0xffff), .copy_mode = NFQNL_COPY_PACKET };
	mnl_attr_put(config, NFQA_CFG_CMD, sizeof(command), &command);
	mnl_attr_put(config, NFQA_CFG_PARAMS, sizeof(params), &params);
	mnl_attr_put_u32(config, NFQA_CFG_QUEUE_MAXLEN, htonl(ROUND));
	check(mnl_socket_sendto(nl, config, config->nlmsg_len) > 0, "configure");

	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	check(!connect(udp, (void *)&to, sizeof(to)), "connect");
	check(!setsockopt(udp, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)), "room to send");
	char text[SIZE];
	memset(text, 7, sizeof(text));

	unsigned long long user = 0, sys = 0, wall = 0;
	for (unsigned long left = count; left;) {
		unsigned long round = left < ROUND ? left : ROUND;
		for (unsigned long n = 0; n < round; n++)
			check(send(udp, text, sizeof(text), 0) == SIZE, "packet");
		struct rusage before, after;
		struct timespec start, end;
		getrusage(RUSAGE_SELF, &before);
		clock_gettime(CLOCK_MONOTONIC, &start);
		for (unsigned long n = 0; n < round; n++) {
			int got = mnl_socket_recvfrom(nl, buffer, sizeof(buffer));
			check(got > 0 && mnl_cb_run(buffer, got, 0, port, packet, NULL) >= 0, "receive");
		}
		clock_gettime(CLOCK_MONOTONIC, &end);
		getrusage(RUSAGE_SELF, &after);
		user += ns(after.ru_utime) - ns(before.ru_utime);
		sys += ns(after.ru_stime) - ns(before.ru_stime);
		wall += (end.tv_sec - start.tv_sec) * 1000000000ull + end.tv_nsec - start.tv_nsec;
		left -= round;
	}
	printf("{\"contender\":\"libmnl\",\"workload\":\"queue\",\"count\":%lu,\"user_ns\":%llu,\"sys_ns\":%llu,"
	       "\"wall_ns\":%llu,\"allocs\":0,\"alloc_bytes\":0,\"peak_rss_kib\":0,\"checksum\":%llu,\"lost\":0}\n",
	       count, user, sys, wall, sum);
	return 0;
}
