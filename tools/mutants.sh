#!/usr/bin/env bash
# Plants faults in a copy of the ledger, one at a time, and demands that the simulation finds each of them.
#
#   tools/mutants.sh          all faults
#   tools/mutants.sh NAME...  only these
#
# A fault is a name, a file under src/domain and a sed program. A program that changes nothing is an error: the code has
# moved on, and the fault has to be planted anew. Exit code 0: the sound ledger passes and every fault is found.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
# Kept between runs, so that dependencies are built once.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target/mutants}
export RUST_BACKTRACE=0
for entry in Cargo.toml Cargo.lock src tests tools; do
    cp -r "$root/$entry" "$copy/$entry"
done

simulate() {
    (cd "$copy" && cargo test --quiet --locked -p seatkeeper --no-default-features --test pure simulation) >"$copy/log" 2>&1
}

failures=0
planted=0
# plant NAME FILE SED-PROGRAM
plant() {
    local name=$1 file=src/domain/$2 program=$3
    if [ "${#wanted[@]}" -gt 0 ] && [[ ! " ${wanted[*]} " == *" $name "* ]]; then
        return
    fi
    planted=$((planted + 1))
    sed -i "$program" "$copy/$file"
    if cmp -s "$root/$file" "$copy/$file"; then
        echo "$name: the program changes nothing in $file"
        failures=$((failures + 1))
    elif simulate; then
        echo "$name: NOT FOUND"
        failures=$((failures + 1))
    elif grep -q '^test result: FAILED' "$copy/log"; then
        echo "$name: found, $(grep -om1 'seed [0-9]* failed at step [0-9]*' "$copy/log" || echo 'by the tally of answers')"
    else
        echo "$name: does not compile"
        sed 's/^/    /' "$copy/log"
        failures=$((failures + 1))
    fi
    cp "$root/$file" "$copy/$file"
}

wanted=("$@")
if ! simulate; then
    echo "the sound ledger fails:"
    cat "$copy/log"
    exit 1
fi

# S1, S2
plant double-spent-seat ledger/index.rs 's/if tally\.free > 0 {/if true {/'
plant counts-not-decremented ledger/index.rs 's/self\.use_units(old\.serial, -1);//'
# I1, I2
plant second-component-second-seat ledger/checkout.rs \
    's/Some(seat) => self\.renew(/Some(seat) if seat.components.contains_key(\&checkout.component) => self.renew(/; s/None => self\.engage(/_ => self.engage(/'
# I7
plant copies-unseen ledger/binding.rs 's/(!known)\.then_some(/false.then_some(/'
plant alternation-unseen ledger/binding.rs 's/alternates\.then_some(/false.then_some(/'
plant only-the-last-displaced-remembered ledger/binding.rs 's/saturating_sub(DISPLACED_MAX)/saturating_sub(1)/'
plant displaced-remembered-too-long ledger/binding.rs 's/one\.at) < ALTERNATING_SECS/one.at) <= ALTERNATING_SECS * 2/'
plant lost-answer-is-a-conflict ledger/binding.rs 's/ || came_with == bound\.continuation_before//'
# S3
plant last-to-expire-first ledger/index.rs '/pub(super) fn first_open/,/^    }/ s/\.next()/.next_back()/'
plant import-order-ignored ledger/index.rs 's/imported_at: license\.imported_at,/imported_at: Timestamp(0),/'
# S4
plant renewal-does-not-extend ledger/checkout.rs \
    's/seat\.renew_by = self\.renew_by(now);/seat.renew_by = seat.renew_by.or(self.renew_by(now));/'
plant acquire-date-moves ledger/checkout.rs 's/seat\.renewed_at = now\.latest();/&seat.acquired_at = now.latest();/'
# S6
plant reclaimed-a-second-late ledger/reclaim.rs 's/\*at <= occasion\.now\.steady/*at < occasion.now.steady/'
plant reclaimed-a-second-early ledger/reclaim.rs 's/\*at <= occasion\.now\.steady/*at <= occasion.now.steady.after_secs(1)/'
# S8, S11
plant first-release-frees ledger/release.rs 's/if components_left > 0 {/if components_left > 1 {/'
plant anybody-releases ledger/release.rs 's/if bound\.identity == identity => bound/if bound.identity != identity || true => bound/'
# S9
plant single-use-comes-back ledger/ending.rs 's/if spent {/if false {/'
plant single-use-comes-back-by-moving ledger/checkout.rs 's/seat\.single_use\.then(||/false.then(||/'
plant anothers-tombstone-is-inherited ledger/import.rs 's/tombstone\.vendor != product\.vendor/false/'
plant trial-starts-anew ledger/import.rs 's/|tombstone| tombstone\.imported_at/|_| occasion.now.latest()/'
# S13, T1
plant expired-license-serves license.rs 's/if now < self\.ends_at()/if now <= self.ends_at()/'
plant expiry-by-the-steady-time ledger/checkout.rs 's/one\.status(occasion\.now\.latest())/one.status(occasion.now.steady)/'
plant idleness-by-the-later-time ledger/reclaim.rs 's/\*at <= occasion\.now\.steady/*at <= occasion.now.latest()/'

echo "$planted faults planted, $failures not found"
[ "$failures" -eq 0 ] && [ "$planted" -gt 0 ]
