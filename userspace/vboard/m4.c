// SPDX-License-Identifier: GPL-2.0-only
#include "m4.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/clock.h"
#include "priority.h"
#include "shm.h"
#include "sock.h"

#if defined(__x86_64__) || defined(__i386__)
#define spin_hint() __builtin_ia32_pause()
#else
#define spin_hint() __asm__ volatile("" ::: "memory")
#endif

/*
 * What the watchdog allows. A hung program uses up processor time; a halted
 * one sleeps while we wait. One that is merely not given a processor, on a
 * machine that is busy or was itself put aside, does neither, and is only
 * given up after seconds.
 */
#define WATCHDOG_CPU_NS 200000000ll
#define WATCHDOG_ASLEEP_NS 200000000ll
#define WATCHDOG_STARVED_NS 5000000000ll

/* Count at most this time of one sleep: in a longer one this process had no processor. */
#define NAP_COUNTS_NS 1000000ll

/*
 * Waiting in two stages. A step takes a few microseconds: spin. With fewer
 * processors than emulators it may not even be running: nap, which lets it
 * run and comes back in time. (Yielding does not: since Linux 6.6 each yield
 * puts the deadline of the yielding process off by a whole slice.) A nap must
 * be long enough to be one: a timer of a few microseconds has expired before
 * the processor is given away, and a board of higher priority then keeps its
 * own coprocessor from running.
 */
#define SPIN_NS 40000
#define SPIN_IN_VAIN_NS 12000
#define NAP_NS 30000
#define NAP_MAX_NS 500000

/* The firmware does not poll for ever: between so many naps it is rung again. */
#define NAPS_PER_RING 8

/* No memory and no device of mps2-an386 answers there. */
#define NOWHERE 0x60000000u
#define GDB_REGISTER_PC 15
#define GDB_TIMEOUT_MS 5000

static int not_yet(int error)
{
	return error == -ENOENT || error == -ECONNREFUSED ? -EAGAIN : error;
}

int m4_connect(struct m4 *m4, struct qs1_vhw *vhw, const char *qmp_path, const char *uart_path,
	       char *err, size_t size)
{
	int fd, ret;

	/* Naps are short. */
	prctl(PR_SET_TIMERSLACK, 1ul);
	*m4 = (struct m4){ .vhw = vhw, .qmp = { .fd = -1 }, .qmp_path = qmp_path, .uart_fd = -1 };

	fd = sock_connect(uart_path);
	if (fd < 0) {
		snprintf(err, size, "coprocessor UART %s: %s", uart_path, strerror(-fd));
		return not_yet(fd);
	}
	m4->uart_fd = fd;
	fd = sock_connect(qmp_path);
	if (fd < 0) {
		snprintf(err, size, "coprocessor QMP %s: %s", qmp_path, strerror(-fd));
		m4_close(m4);
		return not_yet(fd);
	}
	ret = qmp_open(&m4->qmp, fd, err, size);
	if (ret) {
		m4_close(m4);
		return ret;
	}
	m4->pid = sock_peer_pid(fd);
	if (!m4->pid || clock_getcpuclockid(m4->pid, &m4->cpu_clock))
		m4->cpu_clock = CLOCK_MONOTONIC;
	return 0;
}

void m4_close(struct m4 *m4)
{
	if (m4->uart_fd >= 0)
		close(m4->uart_fd);
	if (m4->qmp.fd >= 0)
		close(m4->qmp.fd);
	m4->uart_fd = -1;
	m4->qmp.fd = -1;
}

int m4_reset(struct m4 *m4, char *err, size_t size)
{
	int ret = qmp_execute(&m4->qmp, "system_reset", NULL, "RESET", err, size);

	return ret ? ret : m4_resume(m4, err, size);
}

void m4_wake(struct m4 *m4)
{
	static const char byte;

	/* A full buffer holds unread doorbells: one more adds nothing. */
	send(m4->uart_fd, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static bool done(const struct m4 *m4)
{
	if (qs1_shm_read(m4->vhw->step_ack) != m4->vhw->step_req)
		return false;
	qs1_shm_barrier();
	return true;
}

static bool spin(struct m4 *m4)
{
	int64_t end = clock_ns(CLOCK_MONOTONIC) + m4->spin_ns;

	do {
		for (int i = 0; i < 32; i++) {
			if (done(m4))
				return true;
			spin_hint();
		}
	} while (clock_ns(CLOCK_MONOTONIC) < end);
	return false;
}

/* Does it want a processor? */
static bool runnable(const struct m4 *m4)
{
	char path[300], stat[512], *state;
	struct dirent *entry;
	bool found = false;
	ssize_t got;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task", m4->pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/stat", entry->d_name);
		fd = openat(dirfd(dir), path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		got = read(fd, stat, sizeof(stat) - 1);
		close(fd);
		stat[got > 0 ? got : 0] = 0;
		/* "tid (name) S ...": the name may hold anything. */
		state = strrchr(stat, ')');
		found = state && (!strncmp(state, ") R", 3) || !strncmp(state, ") D", 3));
	}
	closedir(dir);
	return found;
}

/**
 * struct answer_timeout - how long we have waited for an answer
 * @cpu_ns: its processor time at the start
 * @last_ns: wall time of the last look
 * @asleep_ns: waited since it last was seen to want a processor
 * @total_ns: waited in all
 */
struct answer_timeout {
	int64_t cpu_ns;
	int64_t last_ns;
	int64_t asleep_ns;
	int64_t total_ns;
};

static bool expired(const struct m4 *m4, struct answer_timeout *timeout)
{
	int64_t now = clock_ns(CLOCK_MONOTONIC), nap = now - timeout->last_ns;

	if (nap > NAP_COUNTS_NS)
		nap = NAP_COUNTS_NS;
	timeout->last_ns = now;
	timeout->total_ns += nap;
	timeout->asleep_ns += nap;
	if (timeout->asleep_ns > WATCHDOG_ASLEEP_NS) {
		if (!runnable(m4))
			return true;
		timeout->asleep_ns = WATCHDOG_ASLEEP_NS / 2;
	}
	return timeout->total_ns > WATCHDOG_STARVED_NS ||
	       clock_ns(m4->cpu_clock) - timeout->cpu_ns > WATCHDOG_CPU_NS;
}

int m4_wait(struct m4 *m4, bool (*interrupted)(void *ctx), void *ctx)
{
	struct timespec nap = { .tv_nsec = NAP_NS };
	struct answer_timeout timeout;

	if (spin(m4)) {
		m4->spin_ns = SPIN_NS;
		return 0;
	}

	m4->spin_ns = SPIN_IN_VAIN_NS;
	timeout = (struct answer_timeout){ .cpu_ns = clock_ns(m4->cpu_clock),
					   .last_ns = clock_ns(CLOCK_MONOTONIC) };
	for (unsigned int naps = 1; !done(m4); naps++) {
		nanosleep(&nap, NULL);
		if (nap.tv_nsec < NAP_MAX_NS)
			nap.tv_nsec += nap.tv_nsec / 4;
		if (naps % NAPS_PER_RING == 0)
			m4_wake(m4);
		if (interrupted && interrupted(ctx))
			return -EINTR;
		if (expired(m4, &timeout))
			return done(m4) ? 0 : -ETIMEDOUT;
	}
	return 0;
}

void m4_favour(struct m4 *m4, bool favoured)
{
	if (m4->pid)
		priority_set(m4->pid, favoured ? PRIORITY_COPROC : PRIORITY_ORDINARY);
}

int m4_hang(struct m4 *m4, char *err, size_t size)
{
	int ret = qmp_execute(&m4->qmp, "stop", NULL, NULL, err, size);

	if (!ret)
		m4->stopped = true;
	return ret;
}

int m4_resume(struct m4 *m4, char *err, size_t size)
{
	int ret;

	if (!m4->stopped)
		return 0;
	ret = qmp_execute(&m4->qmp, "cont", NULL, NULL, err, size);
	if (!ret)
		m4->stopped = false;
	return ret;
}

/*
 * The answer in what has been received, or NULL: "$answer#xx", with
 * acknowledgements ("+") around it, and before it perhaps the report that the
 * processor stopped ("$T..."), which is no answer.
 */
static const char *gdb_answer(const char *received)
{
	const char *end;

	while ((received = strchr(received, '$')) && (end = strchr(received, '#')) && end[1] &&
	       end[2]) {
		if (received[1] != 'T')
			return received + 1;
		received = end;
	}
	return NULL;
}

/* One packet of the GDB remote protocol, and the answer, which must begin with @expected. */
static int gdb_packet(int fd, const char *payload, const char *expected)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	char packet[64], received[256] = "";
	const char *answer;
	unsigned char sum = 0;
	size_t used = 0;
	ssize_t got;
	int length;

	for (const char *c = payload; *c; c++)
		sum += (unsigned char)*c;
	length = snprintf(packet, sizeof(packet), "+$%s#%02x", payload, sum);
	if (send(fd, packet, (size_t)length, MSG_NOSIGNAL) != length)
		return -EPIPE;

	while (!(answer = gdb_answer(received))) {
		if (used == sizeof(received) - 1)
			return -EPROTO;
		if (poll(&poll_fd, 1, GDB_TIMEOUT_MS) != 1)
			return -ETIMEDOUT;
		got = recv(fd, received + used, sizeof(received) - 1 - used, MSG_DONTWAIT);
		if (got <= 0)
			return -EPIPE;
		used += (size_t)got;
		received[used] = 0;
	}
	return strncmp(answer, expected, strlen(expected)) ? -EREMOTEIO : 0;
}

/* Writes the program counter and lets go. */
static int gdb_strike(const char *path)
{
	char payload[32];
	int fd, ret;

	fd = sock_connect(path);
	if (fd < 0)
		return fd;
	/* Who has not asked what registers there are may not write one. */
	ret = gdb_packet(fd, "qXfer:features:read:target.xml:0,10", "m");
	/* The value as the bytes in memory, which are little endian. */
	snprintf(payload, sizeof(payload), "P%x=%08x", GDB_REGISTER_PC, __builtin_bswap32(NOWHERE));
	if (!ret)
		ret = gdb_packet(fd, payload, "OK");
	if (!ret)
		ret = gdb_packet(fd, "D", "OK");
	close(fd);
	return ret;
}

int m4_crash(struct m4 *m4, char *err, size_t size)
{
	char path[128], command[192];
	int ret;

	snprintf(path, sizeof(path), "%s.gdb", m4->qmp_path);
	snprintf(command, sizeof(command), "gdbserver unix:%s,server=on,wait=off", path);
	ret = qmp_execute(&m4->qmp, "human-monitor-command", command, NULL, err, size);
	if (ret)
		return ret;
	ret = gdb_strike(path);
	if (ret)
		snprintf(err, size, "debug probe %s: %s", path, strerror(-ret));
	qmp_execute(&m4->qmp, "human-monitor-command", "gdbserver none", NULL, command,
		    sizeof(command));
	/* The probe halts the processor; one that failed has not let go of it. */
	if (ret)
		qmp_execute(&m4->qmp, "cont", NULL, NULL, command, sizeof(command));
	return ret;
}
