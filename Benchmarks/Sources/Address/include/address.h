#pragma once
#include <netinet/in.h>

/// What a pair such as `app.bench.test=127.0.0.1:24441` says: a name, and an IPv4 address with its port.
struct named_address {
    const char *name;
    struct sockaddr_in address;
};

/// Reads `NAME=ADDRESS:PORT`. The name points into a copy that lives as long as the process.
/// Ends the process with a message when the argument is not of that form.
struct named_address parse_named_address(const char *argument);

/// Reads `ADDRESS:PORT`, and likewise ends the process when it cannot.
struct sockaddr_in parse_address(const char *argument);
