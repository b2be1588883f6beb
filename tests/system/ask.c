// SPDX-License-Identifier: GPL-2.0-only
/* Runs in the virtual board for test_ecu.py: ask SOCKET LINE sends a line, prints the one that
 * comes. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r+");
	int byte = EOF;

	if (argc != 3 || strlen(argv[1]) >= sizeof(address.sun_path) || !file)
		return 2;
	strcpy(address.sun_path, argv[1]);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		perror(argv[1]);
		return 1;
	}
	fprintf(file, "%s\n", argv[2]);
	fflush(file);
	do {
		byte = fgetc(file);
		if (byte != EOF)
			putchar(byte);
	} while (byte != EOF && byte != '\n');
	return byte == EOF;
}
