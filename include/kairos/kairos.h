/*
 * kairos.h - libkairos: which services went silent, and when.
 *
 * The library is pure: it reads no file and no clock, prints nothing and keeps no global state.
 * Bytes and times come in as arguments. All times are microseconds since the Unix epoch, UTC.
 * Functions on different objects may run in different threads.
 */
#ifndef KAIROS_KAIROS_H
#define KAIROS_KAIROS_H

#include <kairos/analysis.h>
#include <kairos/detector.h>
#include <kairos/duration.h>
#include <kairos/parser.h>
#include <kairos/policy.h>
#include <kairos/service.h>
#include <kairos/timeline.h>
#include <kairos/timestamp.h>

#endif
