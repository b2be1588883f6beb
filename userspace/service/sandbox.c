// SPDX-License-Identifier: GPL-2.0-or-later
#include "sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define ARCH AUDIT_ARCH_ARM
#else
#error "seccomp: no architecture number for this machine"
#endif

/* Let a system call through: compare, return. */
#define ALLOW(number)                                                                              \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),                                         \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* A 32-bit machine has mmap2, _llseek and futex_time64 instead of the plain ones. */
static struct sock_filter rules[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	ALLOW(__NR_read),
	ALLOW(__NR_write),
	ALLOW(__NR_lseek),
	ALLOW(__NR_brk),
	ALLOW(__NR_munmap),
	ALLOW(__NR_mremap),
	ALLOW(__NR_madvise),
	ALLOW(__NR_mprotect),
	ALLOW(__NR_futex),
	ALLOW(__NR_exit),
	ALLOW(__NR_exit_group),
	ALLOW(__NR_rt_sigreturn),
#ifdef __NR_mmap
	ALLOW(__NR_mmap),
#endif
#ifdef __NR_mmap2
	ALLOW(__NR_mmap2),
#endif
#ifdef __NR__llseek
	ALLOW(__NR__llseek),
#endif
#ifdef __NR_futex_time64
	ALLOW(__NR_futex_time64),
#endif
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
};

/* A service may forbid to change limits: then those of its control group hold. */
static int limit(int resource, rlim_t value)
{
	const struct rlimit both = { value, value };

	return setrlimit(resource, &both) < 0 && errno != EPERM ? -errno : 0;
}

int sandbox_enter(size_t memory, unsigned int seconds)
{
	const struct sock_fprog program = { sizeof(rules) / sizeof(rules[0]), rules };
	int ret = limit(RLIMIT_AS, memory);

	ret = ret < 0 ? ret : limit(RLIMIT_CORE, 0);
	ret = ret < 0 ? ret : limit(RLIMIT_NPROC, 0);
	if (ret < 0) {
		return ret;
	}
	alarm(seconds);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		return -errno;
	}
	return 0;
}
