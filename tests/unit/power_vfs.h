/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk under SQLite that counts what is written, and that loses power: a VFS around the default
 * one. Each write is kept in sectors with what was there at the last fsync. After a cut every
 * operation fails. power_restore() then undoes a random part of the sectors that no fsync has
 * made durable, in any order, and leaves the file as a disk with a volatile cache may.
 *
 * Creation, removal and size of files are durable at once, except that a file may lose what it has
 * grown by since the last fsync.
 */
#ifndef POWER_VFS_H
#define POWER_VFS_H

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#define POWER_SECTOR 512
#define POWER_FILES 16
#define POWER_PATH 300

struct power_sector {
	sqlite3_int64 number;
	uint8_t durable[POWER_SECTOR];
};

/* A file by its path; it outlives the handles. */
struct power_disk_file {
	char path[POWER_PATH];
	sqlite3_int64 durable_bytes;
	struct power_sector *sector;
	size_t sectors, room;
};

static struct {
	sqlite3_vfs vfs;
	sqlite3_vfs *real;
	pthread_mutex_t lock;
	struct power_disk_file file[POWER_FILES];
	int files;
	bool loses;	/* keep what a cut needs */
	uint64_t until; /* writes and fsyncs before the cut; 0 for none */
	bool dead;
	uint64_t written_bytes;
	uint64_t syncs;
	uint64_t random;
} power = { .lock = PTHREAD_MUTEX_INITIALIZER, .random = 1 };

struct power_handle {
	sqlite3_file base;
	struct power_disk_file *disk; /* NULL for a temporary file */
	sqlite3_file *real;
};

static inline uint64_t power_draw(uint64_t range)
{
	power.random ^= power.random >> 12;
	power.random ^= power.random << 25;
	power.random ^= power.random >> 27;
	return power.random * UINT64_C(2685821657736338717) % range;
}

static inline sqlite3_file *power_real(sqlite3_file *file)
{
	return ((struct power_handle *)file)->real;
}

/* One write or fsync more; true when the power fails with it. */
static bool power_fails(void)
{
	if (power.until > 0 && --power.until == 0) {
		power.dead = true;
	}
	return power.dead;
}

/* Keep what a sector had at the last fsync. */
static void power_keep(struct power_handle *handle, sqlite3_int64 number)
{
	struct power_disk_file *disk = handle->disk;
	struct power_sector *sector;

	for (size_t i = 0; i < disk->sectors; i++) {
		if (disk->sector[i].number == number) {
			return;
		}
	}
	if (disk->sectors == disk->room) {
		disk->room = disk->room ? 2 * disk->room : 64;
		disk->sector = realloc(disk->sector, disk->room * sizeof(*disk->sector));
		if (!disk->sector) {
			abort();
		}
	}
	sector = &disk->sector[disk->sectors++];
	sector->number = number;
	/* a short read fills the rest with zeros */
	memset(sector->durable, 0, POWER_SECTOR);
	handle->real->pMethods->xRead(handle->real, sector->durable, POWER_SECTOR,
				      number * POWER_SECTOR);
}

static void power_keep_range(struct power_handle *handle, sqlite3_int64 from, sqlite3_int64 to)
{
	for (sqlite3_int64 at = from / POWER_SECTOR; power.loses && at * POWER_SECTOR < to; at++) {
		power_keep(handle, at);
	}
}

static int power_close(sqlite3_file *file)
{
	return power_real(file)->pMethods->xClose(power_real(file));
}

static int power_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 at)
{
	return power_real(file)->pMethods->xRead(power_real(file), bytes, n, at);
}

static int power_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
	struct power_handle *handle = (struct power_handle *)file;
	int code = SQLITE_IOERR_WRITE;
	bool failed;

	if (!handle->disk) {
		return handle->real->pMethods->xWrite(handle->real, bytes, n, at);
	}
	pthread_mutex_lock(&power.lock);
	if (!power.dead) {
		/* the write under way may reach the disk in part */
		failed = power_fails();
		power_keep_range(handle, at, at + n);
		code = handle->real->pMethods->xWrite(handle->real, bytes, n, at);
		code = failed ? SQLITE_IOERR_WRITE : code;
		power.written_bytes += (uint64_t)n;
	}
	pthread_mutex_unlock(&power.lock);
	return code;
}

static int power_truncate(sqlite3_file *file, sqlite3_int64 bytes)
{
	struct power_handle *handle = (struct power_handle *)file;
	sqlite3_int64 size = 0;
	int code = SQLITE_IOERR_TRUNCATE;

	pthread_mutex_lock(&power.lock);
	if (!power.dead && handle->disk) {
		handle->real->pMethods->xFileSize(handle->real, &size);
		power_keep_range(handle, bytes, size);
	}
	if (!power.dead) {
		code = handle->real->pMethods->xTruncate(handle->real, bytes);
	}
	pthread_mutex_unlock(&power.lock);
	return code;
}

static int power_sync(sqlite3_file *file, int flags)
{
	struct power_handle *handle = (struct power_handle *)file;
	struct power_disk_file *disk = handle->disk;
	int code = SQLITE_IOERR_FSYNC;

	pthread_mutex_lock(&power.lock);
	if (!power.dead && !power_fails()) {
		power.syncs++;
		code = SQLITE_OK;
		if (disk) {
			disk->sectors = 0;
			handle->real->pMethods->xFileSize(handle->real, &disk->durable_bytes);
		}
		if (!power.loses) {
			code = handle->real->pMethods->xSync(handle->real, flags);
		}
	}
	pthread_mutex_unlock(&power.lock);
	return code;
}

static int power_size(sqlite3_file *file, sqlite3_int64 *ret)
{
	return power_real(file)->pMethods->xFileSize(power_real(file), ret);
}

static int power_lock(sqlite3_file *file, int level)
{
	return power_real(file)->pMethods->xLock(power_real(file), level);
}

static int power_unlock(sqlite3_file *file, int level)
{
	return power_real(file)->pMethods->xUnlock(power_real(file), level);
}

static int power_reserved(sqlite3_file *file, int *ret)
{
	return power_real(file)->pMethods->xCheckReservedLock(power_real(file), ret);
}

static int power_control(sqlite3_file *file, int op, void *arg)
{
	return power_real(file)->pMethods->xFileControl(power_real(file), op, arg);
}

static int power_sector_size(sqlite3_file *file)
{
	return power_real(file)->pMethods->xSectorSize(power_real(file));
}

static int power_device(sqlite3_file *file)
{
	return power_real(file)->pMethods->xDeviceCharacteristics(power_real(file));
}

static int power_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret)
{
	return power_real(file)->pMethods->xShmMap(power_real(file), page, size, extend, ret);
}

static int power_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return power_real(file)->pMethods->xShmLock(power_real(file), offset, n, flags);
}

static void power_shm_barrier(sqlite3_file *file)
{
	power_real(file)->pMethods->xShmBarrier(power_real(file));
}

static int power_shm_unmap(sqlite3_file *file, int remove)
{
	return power_real(file)->pMethods->xShmUnmap(power_real(file), remove);
}

static const sqlite3_io_methods power_methods = {
	.iVersion = 2,
	.xClose = power_close,
	.xRead = power_read,
	.xWrite = power_write,
	.xTruncate = power_truncate,
	.xSync = power_sync,
	.xFileSize = power_size,
	.xLock = power_lock,
	.xUnlock = power_unlock,
	.xCheckReservedLock = power_reserved,
	.xFileControl = power_control,
	.xSectorSize = power_sector_size,
	.xDeviceCharacteristics = power_device,
	.xShmMap = power_shm_map,
	.xShmLock = power_shm_lock,
	.xShmBarrier = power_shm_barrier,
	.xShmUnmap = power_shm_unmap,
};

/* The file of a path; a new one is durable with what it holds. */
static struct power_disk_file *power_file(const char *path)
{
	struct power_disk_file *file = power.file;
	struct stat st;

	while (file < power.file + power.files && strcmp(file->path, path)) {
		file++;
	}
	if (file == power.file + power.files) {
		if (power.files == POWER_FILES || strlen(path) >= POWER_PATH) {
			abort();
		}
		power.files++;
		strcpy(file->path, path);
		file->durable_bytes = stat(path, &st) == 0 ? st.st_size : 0;
	}
	return file;
}

static int power_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *ret)
{
	struct power_handle *handle = (struct power_handle *)file;
	int code;

	(void)vfs;
	handle->real = (sqlite3_file *)(handle + 1);
	pthread_mutex_lock(&power.lock);
	handle->disk = path ? power_file(path) : NULL;
	pthread_mutex_unlock(&power.lock);
	code = power.real->xOpen(power.real, path, handle->real, flags, ret);
	file->pMethods = handle->real->pMethods ? &power_methods : NULL;
	return code;
}

static int power_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
	struct power_disk_file *file;
	int code = SQLITE_IOERR_DELETE;

	(void)vfs;
	pthread_mutex_lock(&power.lock);
	if (!power.dead) {
		file = power_file(path);
		file->sectors = 0;
		file->durable_bytes = 0;
		code = power.real->xDelete(power.real, path, sync);
	}
	pthread_mutex_unlock(&power.lock);
	return code;
}

/* Put the disk under all connections that are opened from now on; @loses: it can lose power. */
static inline void power_install(bool loses)
{
	power.loses = loses;
	power.real = sqlite3_vfs_find(NULL);
	power.vfs = *power.real;
	power.vfs.zName = "power";
	power.vfs.szOsFile = (int)sizeof(struct power_handle) + power.real->szOsFile;
	power.vfs.xOpen = power_open;
	power.vfs.xDelete = power_delete;
	sqlite3_vfs_register(&power.vfs, 1);
}

/* The power fails with this write or fsync from now on, counted from 1. */
static inline void power_cut(uint64_t after)
{
	pthread_mutex_lock(&power.lock);
	power.until = after;
	pthread_mutex_unlock(&power.lock);
}

static void power_restore_file(struct power_disk_file *file)
{
	int fd = open(file->path, O_RDWR | O_CLOEXEC);
	struct stat st;

	for (size_t i = 0; fd >= 0 && i < file->sectors; i++) {
		if (power_draw(2) && pwrite(fd, file->sector[i].durable, POWER_SECTOR,
					    file->sector[i].number * POWER_SECTOR) < 0) {
			abort();
		}
	}
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > file->durable_bytes && power_draw(2) &&
	    ftruncate(fd, file->durable_bytes) < 0) {
		abort();
	}
	if (fd >= 0 && fstat(fd, &st) == 0) {
		file->durable_bytes = st.st_size;
		close(fd);
	}
	file->sectors = 0;
}

/* Power is back: after all connections are closed. */
static inline void power_restore(void)
{
	for (int i = 0; i < power.files; i++) {
		power_restore_file(&power.file[i]);
	}
	power.until = 0;
	power.dead = false;
}

#endif /* POWER_VFS_H */
