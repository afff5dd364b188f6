#pragma once
#include <address.h>

/// Each workload is a function that returns when it is over. In between it calls `begin` once, at the moment from
/// which it is to be measured, and prints its figures as one line of JSON before it lets go of its connections.

/// Says "ready" on standard output and waits for a line on standard input, so that whoever measures the proxy can
/// look at it just before and just after.
void begin(void);

/// As many connections after one another as possible, `concurrency` of them at a time.
void run_short(unsigned concurrency, double seconds);

/// `bytes` in all from the origins over `concurrency` connections.
void run_bulk(unsigned concurrency, unsigned long long bytes);

/// Messages of 64 bytes to and fro on long connections, one under way on each.
void run_pingpong(unsigned connections, double seconds);

/// Connections that have had an answer and then keep silent; these are measured while they stand.
void run_idle(unsigned connections);

/// A message of 64 bytes every quarter of a millisecond, on long connections in turn; tells the longest way of one within each hundredth of a second.
void run_pulse(unsigned connections, double seconds);

/// Short connections, so many a second whether or not those before have ended.
void run_steady(double rate, double seconds);

/// Strangers, so many a second, who say a hello with the target's name and wait a second for what comes of it; in turn from so many addresses.
/// Nothing that is done to them is a fault.
void run_flood(double rate, double seconds, unsigned addresses, const struct named_address *target);
