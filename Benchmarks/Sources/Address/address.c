#include "address.h"

#include <arpa/inet.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>

/// What sysexits.h calls EX_USAGE.
enum { USAGE_ERROR = 64 };

struct sockaddr_in parse_address(const char *argument) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    char *host = strdup(argument);
    char *colon = strrchr(host, ':');
    if (!colon) errx(USAGE_ERROR, "'%s': expected ADDRESS:PORT, such as 127.0.0.1:24441", argument);
    *colon = 0;
    char *end;
    long port = strtol(colon + 1, &end, 10);
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1 || *end || port < 1 || port > 65535)
        errx(USAGE_ERROR, "'%s': expected ADDRESS:PORT, such as 127.0.0.1:24441", argument);
    address.sin_port = htons((uint16_t)port);
    free(host);
    return address;
}

struct named_address parse_named_address(const char *argument) {
    char *name = strdup(argument);
    char *equals = strchr(name, '=');
    if (!equals) errx(USAGE_ERROR, "'%s': expected NAME=ADDRESS:PORT", argument);
    *equals = 0;
    return (struct named_address){.name = name, .address = parse_address(equals + 1)};
}
