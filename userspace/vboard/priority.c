// SPDX-License-Identifier: GPL-2.0-only
#include "priority.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

int priority_set(pid_t pid, int level)
{
	const struct sched_param param = { .sched_priority = level };
	struct dirent *entry;
	char path[64];
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (sched_setscheduler(atoi(entry->d_name), level ? SCHED_RR : SCHED_OTHER,
				       &param) &&
		    errno != ESRCH)
			ret = -errno;
	}
	closedir(dir);
	return ret;
}
