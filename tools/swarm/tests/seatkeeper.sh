#!/bin/sh
# The server of the tests that have one started: the test program itself, whose `a_server_of_its_own` takes these arguments.
SEATSWARM_TEST_ARGS=$(printf '%s\n' "$@")
export SEATSWARM_TEST_ARGS
exec "$SEATSWARM_TEST_PROGRAM" --exact a_server_of_its_own --nocapture
