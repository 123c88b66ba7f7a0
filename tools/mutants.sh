#!/usr/bin/env bash
# Plants faults in a copy of the code, one at a time, and demands that each of them is found: by the simulation against
# the reference model, or by the tests named beside it. At least one fault for each rule that the ledger decides.
#
#   tools/mutants.sh                    all faults
#   tools/mutants.sh NAME...            only these
#   tools/mutants.sh --soak [NAME...]   the ledger's faults again, found by tools/soak through the real client and store
#   tools/mutants.sh --check            only whether each can still be planted: builds and runs nothing, takes seconds
#   tools/mutants.sh --list             rule, name and file of each
#
# A fault is its rules, a name, a file under src, or several with commas between them, and a sed program. A program that
# changes nothing in one of them is an error: the code has moved on, and the fault has to be planted anew. Exit code 0: the
# sound code passes and every fault is found.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
soak_steps=${SOAK_STEPS:-40000}
mode=simulation
case "${1:-}" in
    --check | --list | --soak) mode=${1#--}; shift ;;
esac
wanted=("$@")
for name in "${wanted[@]}"; do
    # A plain name of the list below; anything else would plant nothing and pass.
    grep -qE "^plant[a-z_]* [A-Z0-9,]+ $name " "$0" || { echo "there is no fault '$name'; see --list" >&2; exit 2; }
done

if [ "$mode" != list ]; then
    copy=$(mktemp -d)
    trap 'rm -rf "$copy"' EXIT
    # Kept between runs, so that dependencies are built once.
    export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target/mutants}
    export RUST_BACKTRACE=0
    entries=(Cargo.toml Cargo.lock src tests tools proto-spec)
    [ "$mode" != check ] || entries=(src)
    # Without what fuzzing has built and collected, which is more than all the rest.
    tar -C "$root" --exclude=tests/fuzz/{target,corpus,artifacts} -cf - "${entries[@]}" | tar -C "$copy" -xf -
fi

# test COMMAND...: runs in the copy; what it printed is in $copy/log.
run() { (cd "$copy" && "$@") >"$copy/log" 2>&1; }

simulate() {
    if [ "$mode" = soak ]; then
        run cargo run --quiet --locked -p seatsoak -- --seed 7 --steps "$soak_steps" --restarts "$((soak_steps / 100))"
    else
        run cargo test --quiet --locked -p seatkeeper --test pure simulation
    fi
}

failures=0
planted=0

# check NAME FILES SED-PROGRAM COMMAND...
check() {
    local name=$1 files program=$3 file
    IFS=, read -ra files <<<"$2"
    shift 3
    planted=$((planted + 1))
    local unchanged=()
    for file in "${files[@]}"; do
        sed -i "$program" "$copy/src/$file"
        if cmp -s "$root/src/$file" "$copy/src/$file"; then
            unchanged+=("src/$file")
        fi
    done
    if [ "${#unchanged[@]}" -gt 0 ]; then
        echo "$name: the program changes nothing in ${unchanged[*]}"
        failures=$((failures + 1))
    elif [ "$mode" = check ]; then
        :
    elif "$@"; then
        echo "$name: NOT FOUND"
        failures=$((failures + 1))
    elif grep -q '^error\(\[E[0-9]*\]\)\?: \(could not compile\|aborting\)' "$copy/log" || grep -q '^error\[E' "$copy/log"; then
        echo "$name: does not compile"
        sed 's/^/    /' "$copy/log" | grep -A6 'error' | head -20
        failures=$((failures + 1))
    else
        echo "$name: found, $(grep -om1 'seed [0-9]*[^;]*step [0-9]*' "$copy/log" || grep -om1 '^step [0-9]*: .*' "$copy/log" || grep -om1 'test [^ ]* \.\.\. FAILED' "$copy/log" || grep -om1 'panicked at .*' "$copy/log" || echo 'by the tally of answers')"
    fi
    for file in "${files[@]}"; do
        cp "$root/src/$file" "$copy/src/$file"
    done
}

is_wanted() { [ "${#wanted[@]}" -eq 0 ] || [[ " ${wanted[*]} " == *" $1 "* ]]; }

# plant RULES NAME FILE SED-PROGRAM: found by the simulation, or by the soak.
plant() {
    is_wanted "$2" || return 0
    if [ "$mode" = list ]; then
        printf '%-8s %-40s %s\n' "$1" "$2" "$3"
    else
        check "$2" "$3" "$4" simulate
    fi
}

# plant_for RULES NAME FILE SED-PROGRAM TESTS: found by the library's tests of that name; the soak does not look for it.
plant_for() { plant_with "${@:1:4}" run cargo test --quiet --locked -p seatkeeper --lib "$5"; }

# plant_with RULES NAME FILE SED-PROGRAM COMMAND...: found by a command that the sound code passes; not by the soak.
plant_with() {
    is_wanted "$2" && [ "$mode" != soak ] || return 0
    if [ "$mode" = list ]; then
        printf '%-8s %-40s %s\n' "$1" "$2" "$3"
    else
        check "${@:2}"
    fi
}

if [ "$mode" != list ] && [ "$mode" != check ] && ! simulate; then
    echo "the sound code fails:"
    cat "$copy/log"
    exit 1
fi

ledger=domain/ledger
plant S1,S2 double-spent-seat $ledger/keep.rs 's/if tally\.free > 0 {/if true {/'
plant S2 counts-not-decremented $ledger/keep.rs 's/self\.use_units(old\.serial, -1);//'
plant S2 reserved-units-not-counted $ledger/keep.rs 's/self\.use_units(serial, i64::from(count));/self.use_units(serial, i64::from(count) * 0);/'
plant I1,I2 second-component-second-seat $ledger/checkout.rs \
    's/Some(seat) => self\.renew(/Some(seat) if seat.components.contains_key(\&checkout.component) => self.renew(/; s/None => self\.engage(/_ => self.engage(/'
plant I3 uncounted-takes-a-seat $ledger/checkout.rs 's/if !component\.counted {/if false {/'
plant I3 unknown-component-is-not-counted $ledger/checkout.rs \
    's/\.get(&checkout\.component)\.copied() else {/.get(\&checkout.component).copied().or(Some(Component::default())) else {/'
plant I4 another-products-seat-covers $ledger/checkout.rs \
    's/match self\.seats\.get(&checkout\.key) {/match self.seats.iter().find(|(key, _)| key.mac == checkout.key.mac).map(|(_, seat)| seat) {/'
plant I6 another-machines-seat-covers $ledger/checkout.rs \
    's/match self\.seats\.get(&checkout\.key) {/match self.seats.iter().find(|(key, _)| key.product_key() == checkout.key.product_key()).map(|(_, seat)| seat) {/'
plant I7 copies-unseen $ledger/binding.rs 's/(!known)\.then_some(/false.then_some(/'
plant I7 alternation-unseen $ledger/binding.rs 's/alternates\.then_some(/false.then_some(/'
plant I7 only-the-last-displaced-remembered $ledger/binding.rs 's/saturating_sub(DISPLACED_MAX)/saturating_sub(1)/'
plant I7 displaced-remembered-too-long $ledger/binding.rs 's/one\.at) < ALTERNATING_SECS/one.at) <= ALTERNATING_SECS * 2/'
plant I7 lost-answer-is-a-conflict $ledger/binding.rs 's/ || came_with == before;/ || (came_with == before \&\& false);/'
plant I7 copies-never-refused $ledger/binding.rs 's/visitor\.on_conflict == OnConflict::Refuse/visitor.on_conflict == OnConflict::Refuse \&\& false/'
plant I7 refused-copy-not-noted $ledger/checkout.rs 's/seat\.components\.insert(checkout\.component, noted);/drop(noted);/'
plant I7 approval-not-asked $ledger/binding.rs 's/is_other && rebind == Rebind::Approve/is_other \&\& rebind == Rebind::Approve \&\& false/'
plant I7 waiting-never-ends $ledger/binding.rs 's/others\.waiting\.filter(|_| rebind == Rebind::Approve)/others.waiting/'
plant I7 resolving-forgets-nothing $ledger/resolve.rs 's/\*binding = resolved;/drop(resolved);/'
plant I7 release-hides-a-copy $ledger/binding.rs 's/left\.filter(|left| left\.identity == identity)/left.filter(|left| left.identity == identity \&\& false)/'
plant I7 end-hides-a-copy $ledger/ending.rs 's/\.leave_behind(key, seat\.components\.iter(),/.leave_behind(key, std::iter::empty(),/'
plant I7 left-numbers-judge-anyone $ledger/binding.rs 's/left\.filter(|left| left\.identity == identity)/left.filter(|left| left.continuation != 0)/'
plant I7 left-numbers-stay $ledger/resolve.rs 's/self\.forget_left(occasion, key)/None/'
plant I7 rebound-identity-releases $ledger/release.rs 's/occasion\.now\.steady < \*until/occasion.now.steady < *until \&\& false/'
plant S3 last-to-expire-first $ledger/index.rs 's/self\.open(product, Usage::Machine, now)\.next()/self.open(product, Usage::Machine, now).last()/'
plant S3 import-order-ignored $ledger/keep.rs 's/imported_at: license\.imported_at,/imported_at: crate::domain::time::Timestamp(0),/'
plant S4 renewal-does-not-extend $ledger/checkout.rs \
    's/seat\.renew_by = renew_by(self\.product, now);/seat.renew_by = seat.renew_by.or(renew_by(self.product, now));/'
plant S4 acquire-date-moves $ledger/checkout.rs 's/seat\.renewed_at = now\.latest();/&seat.acquired_at = now.latest();/'
plant S6 reclaimed-a-second-late $ledger/reclaim.rs '0,/\*at <= occasion\.now\.steady/s//*at < occasion.now.steady/'
plant S6 reclaimed-a-second-early $ledger/reclaim.rs '0,/\*at <= occasion\.now\.steady/s//*at <= occasion.now.steady.after_secs(1)/'
plant S7 engaged-again-not-told $ledger/checkout.rs 's/former\.map_or(GrantKind::Granted, GrantKind::EngagedAgain)/GrantKind::Granted/'
plant S8 first-release-frees $ledger/release.rs 's/if components_left > 0 {/if components_left > 1 {/'
plant S9 single-use-comes-back $ledger/ending.rs 's/if spent {/if false {/'
plant S9 single-use-comes-back-by-moving $ledger/units.rs 's/seat\.single_use\.then(||/false.then(||/'
plant S9 single-use-moves-in-a-jump $ledger/units.rs 's/|| (seat\.single_use && serves_at(now\.steady))/|| (seat.single_use \&\& serves_at(now.latest()))/'
plant S10 asking-ends-a-seat $ledger/mod.rs \
    's/Command::Availability(name) => self\.availability(\*name, now),/Command::Availability(name) => { let mut decided = self.availability(*name, now); let seat = self.seats.keys().next(); decided.changes.extend(seat.map(|key| occasion.change(Fact::SeatEnded(*key), EventKind::SeatRenewed { key: *key }))); decided }/'
plant S11 anybody-releases $ledger/release.rs 's/if bound\.identity == identity => bound/if bound.identity != identity || true => bound/'
plant S12 seats-do-not-move $ledger/remove.rs 's/if seat\.single_use { None } else { self\.room\.take() }/if seat.single_use || true { None } else { self.room.take() }/'
plant S12 seats-move-onto-one-place $ledger/allocate.rs 's/\*free -= taken;/*free -= taken * 0;/'
plant S12,S9 single-use-moves $ledger/remove.rs 's/if seat\.single_use { None } else { self\.room\.take() }/self.room.take()/'
plant S12 reserved-units-forgotten-at-removal $ledger/remove.rs 's/removal\.reservation(\*id, reservation);/let _kept = (id, reservation);/'
plant S13,K5 expired-license-serves domain/license.rs 's/None if now < self\.ends_at()/None if now <= self.ends_at()/'
plant S13 refused-renewal-extends $ledger/checkout.rs '0,/return self\.refuse(checkout, denial, occasion\.now);$/s//asked.hold(\&mut seat, binding); let mut refused = self.refuse(checkout, denial, occasion.now); refused.changes.push(Change { fact: Fact::SeatPut(key, Box::new(seat)), events: Vec::new() }); return refused;/'
plant S14 nothing-held-is-an-error $ledger/release.rs '0,/return Decided::unchanged(Reply::NothingHeld);/s//return Decided::refused(Denial::UnknownProduct);/'
plant S15 add-ons-need-nothing $ledger/checkout.rs 's/product\.required\.filter(|required| {/product.required.filter(|_| false).filter(|required| {/'
plant X1 committing-spends-nothing $ledger/settle.rs 's/if self\.serves(serial) => self\.spend(mac, serial)/if self.serves(serial) => Settled::Committed(serial)/'
plant X2 some-of-the-machines $ledger/reserve.rs 's/return self\.refuse_for_want(asked, asked\.usages(), Some(\*mac), lacked);/let _ = lacked;/'
plant X2 aborted-unit-stays $ledger/settle.rs 's/machines\.retain(|mac, _| !settled\.contains(mac))/machines.retain(|mac, _| !settled.contains(mac) || true)/'
plant X2 committed-twice $ledger/settle.rs 's/(_, Some(serial)) => Settled::AlreadyCommitted(serial)/(_, Some(_)) => self.decide_anew(mac)/'
plant X2 covered-machine-reserves $ledger/reserve.rs 's/if is_covered(&mac) {/if is_covered(\&mac) \&\& false {/'
plant X3 deployment-license-serves-checkouts $ledger/index.rs \
    's/self\.open(product, Usage::Machine, now)\.next()/self.open(product, Usage::Machine, now).chain(self.open(product, Usage::Deployment, now)).next()/'
plant X4 lapses-a-second-late $ledger/reclaim.rs 's/lapses()\.take_while(|(at, _)| \*at <= /lapses().take_while(|(at, _)| *at < /'
plant X4 held-seats-bind-nobody $ledger/checkout.rs 's/self\.first_held(key, occasion\.now)/self.first_held(key, occasion.now).filter(|_| false)/'
plant X4 late-commit-refused $ledger/settle.rs 's/(Some(Reserved::Unit(_)), _) | (_, None) => self\.decide_anew(mac)/(Some(Reserved::Unit(_)), _) | (_, None) => Settled::NothingReserved/'
plant X5 preference-ignored domain/catalogue.rs 's/Self::DeploymentFirst | Self::DeploymentOnly => Self::DeploymentFirst\.usages()/Self::DeploymentFirst | Self::DeploymentOnly => Self::MachineFirst.usages()/'
plant X5 alternative-used-all-the-same $ledger/reserve.rs 's/if preferred_only {/if preferred_only \&\& false {/'
plant K2 older-catalogue-counts $ledger/catalogue.rs 's/held\.version >= version/held.version >= version \&\& false/'
plant K3,K8 repeating-adds $ledger/import.rs 's/held\.is_some_and(|held| held\.certificate == key\.certificate)/held.is_some_and(|held| held.certificate == key.certificate \&\& false)/'
plant K4 blacklisted-key-imported $ledger/import.rs 's/self\.check_list(claims\.vendor, serial)?;//'
plant K4 anothers-serial-is-inherited $ledger/import.rs 's/(before\.product, before\.usage) != (claims\.product_key(), claims\.usage)/(before.product, before.usage) != (claims.product_key(), claims.usage) \&\& false/'
plant K4,K6 superseded-key-counts $ledger/import.rs '/fn admits/,/^    }/ s/Err(KeyRefusal::Superseded)/Ok(())/'
plant K5 trial-starts-anew $ledger/import.rs 's/before\.map_or(occasion\.now\.latest(), |before| before\.imported_at)/occasion.now.latest()/'
plant K5 days-left-round-down domain/license.rs 's/div_ceil(DAY_SECS)/div_euclid(DAY_SECS)/'
plant K6 renewal-refused $ledger/import.rs 's/(Ordering::Greater, _) | (_, Ordering::Greater) => Ok(())/(Ordering::Greater, _) | (_, Ordering::Greater) => Err(KeyRefusal::NotARenewal)/'
plant K6 fewer-seats-than-used-not-told $ledger/import.rs 's/if next\.claims\.seats < used =>/if next.claims.seats < used \&\& false =>/'
plant C3 blacklisted-license-serves domain/license.rs 's/Some(Listed::Blacklisted) => LicenseStatus::Blacklisted/Some(Listed::Blacklisted) => LicenseStatus::Valid/'
plant C3 unlisted-stays-listed $ledger/blacklist.rs 's/list\.serials\.keys()\.chain(named_before)\.copied()/list.serials.keys().chain(named_before.take(0)).copied()/'
plant O3 offline-days-are-forgotten $ledger/checkout.rs 's/offline_days: asked\.product\.offline_days,/offline_days: 0,/'
plant T1 expiry-by-the-steady-time $ledger/checkout.rs 's/match self\.licenses\.get(&serial)\.map(|one| one\.status(now\.latest()))/match self.licenses.get(\&serial).map(|one| one.status(now.steady))/'
plant T1 idleness-by-the-later-time $ledger/reclaim.rs '0,/\*at <= occasion\.now\.steady/s//*at <= occasion.now.latest()/'
plant T1 dates-of-a-rejected-jump-stay $ledger/dates.rs 's/if at <= self\.mark {/if at <= self.mark || self.size_secs.is_some() {/'
plant T2 any-jump-is-time domain/timekeeper.rs 's/if reading\.calendar > limit {/if reading.calendar > limit \&\& false {/'
plant T2 a-jump-lasts-a-second-longer domain/timekeeper.rs 's/^pub const JUMP_LASTS_SECS: u64 = DAY_SECS;/pub const JUMP_LASTS_SECS: u64 = DAY_SECS + 1;/'
plant T2 forty-four-days-at-a-start domain/timekeeper.rs 's/^pub const ALLOWANCE_AT_START_SECS: u64 = 45 \* DAY_SECS;/pub const ALLOWANCE_AT_START_SECS: u64 = 44 * DAY_SECS;/'
plant T2 reset-keeps-later-dates $ledger/dates.rs 's/None => self\.mark,/None => at,/'

plant V2 explained-for-another-identity $ledger/explain.rs 's/who\.or(known\.map/None.or(known.map/'
plant V2 explained-with-another-number $ledger/explain.rs 's/number\.unwrap_or(accepted)/accepted/'
plant V2 a-step-is-not-explained $ledger/checkout.rs 's/trace\.note(|| binding_step(before, &met));//'

agents=client::agent
plant_for O2 one-refusal-is-all client/agent/round.rs 's/if self\.has_every_pin(self\.refused\.len())/if !self.refused.is_empty()/' $agents
plant_for I2 whoever-answers-first-is-asked client/agent/round.rs 's/first\.filter(|pin| pin\.continuation(self\.machine\.mac) != 0)/first.filter(|_| false)/' $agents
plant_for O3 lease-of-another-machine client/agent/lease.rs 's/lease\.mac == self\.mac\.bytes()/lease.mac == self.mac.bytes() || true/' $agents
plant_for O3 clock-set-back-stretches client/agent/lease.rs 's/let now = newest\.max(clock\.0);/let now = clock.0;/' $agents
plant_for O3 clock-far-behind-runs client/agent/lease.rs 's/^const BEHIND_MAX_SECS: u64 = HOUR;/const BEHIND_MAX_SECS: u64 = HOUR + 1;/' $agents
plant_for O3 clock-far-ahead-is-kept client/agent/lease.rs 's/^const AHEAD_MAX_SECS: u64 = DAY;/const AHEAD_MAX_SECS: u64 = DAY + 1;/' $agents
plant_for T2 reset-is-undone-by-a-restart service/writer.rs 's/self\.commit(changes, after)?;/self.commit(changes, now)?;/' service
plant_for T2 noted-at-the-time-before-a-reset service/writer.rs 's/self\.decided_at = after;//' service
plant_for V3 refusals-sync service/writer.rs 's/if is_granted || self\.noted/if true || is_granted || self.noted/' service
plant_for V3 notes-are-lost-at-the-end service/writer.rs 's/self\.apply_all(Actor::Server, &Command::KeepTime(0), now)/{ self.noted.clear(); self.apply_all(Actor::Server, \&Command::KeepTime(0), now) }/' service

plant X2 agents-reserve domain/command.rs \
    's/Self::Abort(_) | Self::Commit(_) | Self::Reserve(_) => &\[Role::Deployer\]/Self::Abort(_) | Self::Commit(_) | Self::Reserve(_) => \&[Role::Agent]/'
# Authority: who is served where agents enrol. A is no rule but the chapter on decisions in proto-spec/rules.md.
plant_for A who-is-not-enrolled-is-served service/enrolment.rs 's/if self\.policy == Enrolment::Open || !is_agents/if true || !is_agents/' enrol
plant_for A the-revoked-are-served $ledger/enrol.rs 's/(Some(enrolled), _) => enrolled\.revoked_at\.is_none(),/(Some(_), _) => true,/' enrol
plant_for A one-takes-the-others-of-its-token-along $ledger/enrol.rs 's/vec!\[occasion\.change(Fact::EnrolledPut(identity, revoked), event)\]/self.index.identities_of(enrolled.token).map(|one| occasion.change(Fact::EnrolledPut(one, revoked), event.clone())).collect()/' enrol
plant_for A wrong-tokens-are-not-counted service/enrolment.rs 's/self\.wrong\.add(source_of(address), (), at);/let _ = address;/' enrol
plant_for A any-server-gets-the-token client/agent/enrol.rs 's/token\.is_for(connection\.fingerprint()) || /true || /' enrol
# Durability: what the store promises of the disk. D is no rule but the promise in FORMAT.md. They are found by the campaigns
# against the store, but for those that no single harm shows: a journal put together from two histories, one that is lost
# from some round on with all behind it, a generation with rows that hold and are not its own. Those have tests of their own.
harm=(run cargo test --quiet --locked -p seatkeeper --test system -- harm store_disk)
journal=(run cargo test --quiet --locked -p seatkeeper --lib store::)
plant_with D data-directory-name-not-synced store/founding.rs 's/disk\.sync_dir(parent)/Ok::<(), std::io::Error>(())/' "${harm[@]}"
plant_with D format-not-synced store/format.rs 's/^        file\.sync()?;$//' "${harm[@]}"
plant_with D format-name-not-synced store/format.rs 's/^        disk\.sync_dir(dir)$/        Ok(())/' "${harm[@]}"
plant_with D a-start-trusts-names-in-the-directory store/disk_store.rs 's/^                disk\.sync_dir(data)\.map_err(io_failed("syncing", data))?;$//' "${harm[@]}"
plant_with D a-start-trusts-names-of-segments store/journal/mod.rs 's/^        disk\.sync_dir(&dir)\.map_err(io_failed("syncing", &dir))?;$//' "${harm[@]}"
plant_with D what-was-cut-off-comes-back store/journal/found.rs 's/self\.disk\.sync_dir(&self\.dir)\.map_err(io_failed("syncing", &self\.dir))/Ok(())/' "${harm[@]}"
plant_with D what-was-cut-off-is-not-synced store/repair.rs 's/^                    file\.sync()$/                    Ok(())/' "${harm[@]}"
plant_with D names-of-what-was-cut-off-are-not-synced store/repair.rs 's/^        disk\.sync_dir(&to)\.map_err(io_failed("syncing", &to))?;$//' "${harm[@]}"
plant_with D the-name-of-what-was-cut-off-is-not-synced store/repair.rs 's/^        disk\.sync_dir(&self\.data)\.map_err(io_failed("syncing", &self\.data))?;$//' "${harm[@]}"
# Files beside the store are not of the simulated disk: the system calls of a real server show when they count.
calls=(run cargo test --quiet --locked -p seatkeeper --test lan nothing_counts)
plant_with D key-not-synced whole_file.rs 's/^        file\.sync_all()?;$//' "${calls[@]}"
plant_with D name-of-a-key-not-synced whole_file.rs '/^pub fn create/,/^}/ s/sync_directory_of(path)?;//' "${calls[@]}"
plant_with D name-of-a-key-written-anew-not-synced whole_file.rs '/^pub fn replace/,/^}/ s/sync_directory_of(path)$/Ok(())/' "${calls[@]}"
plant_with D answered-before-the-sync store/journal/segment.rs '/fn write(/,/^    }/ s/self\.file\.sync()/Ok(())/' "${harm[@]}"
plant_with D segment-name-not-synced store/journal/segment.rs 's/disk\.sync_dir(dir)?;//' "${harm[@]}"
plant_with D segment-not-synced-when-made store/journal/segment.rs '/fn fill(/,/^    }/ s/file\.sync()?;//' "${harm[@]}"
plant_with D manifest-not-synced store/manifest.rs 's/file\.sync()?;//' "${harm[@]}"
plant_with D manifest-name-not-synced store/manifest.rs 's/^            disk\.sync_dir(data)$/            Ok(())/' "${harm[@]}"
plant_with D generation-not-synced store/checkpoint.rs 's/self\.disk\.sync_tree(&dir)/Ok::<(), std::io::Error>(())/' "${harm[@]}"
plant_with D generation-name-not-synced store/checkpoint.rs 's/^            \.sync_dir(&self\.data)$/            .names(\&self.data).map(drop)/' "${harm[@]}"
plant_with D history-name-not-synced store/history.rs 's/^        disk\.sync_dir(&history)?;$//' "${harm[@]}"
plant_with D no-name-around-a-checkpoint-is-synced store/checkpoint.rs,store/manifest.rs,store/history.rs \
    's/^            \.sync_dir(&self\.data)$/            .names(\&self.data).map(drop)/; s/^            disk\.sync_dir(data)$/            Ok(())/; s/^        disk\.sync_dir(&history)?;$//; s/^        disk\.sync_dir(data)$/        Ok(())/' "${harm[@]}"
plant_with D what-is-old-goes-before-the-manifest-is-there store/checkpoint.rs \
    's/manifest\.store(&self\.disk, &self\.data)?;/self.manifest = manifest.clone(); self.standing = Standing::Sound; self.clear(); &/' "${harm[@]}"
plant_with D needed-segments-removed store/checkpoint.rs 's/map(|one| one\.at\.segment)\.min()/map(|one| one.at.segment).max()/' "${harm[@]}"
plant_with D replay-starts-too-late store/checkpoint.rs 's/after: start\.after,/after: start.after, /; s/at: start\.at,/at: Position { sector: start.at.sector + 1, ..start.at },/' "${harm[@]}"
plant_with D torn-record-stays store/journal/mod.rs 's/if let Some(torn) = end.torn {/if let Some(torn) = end.torn.filter(|_| false) {/' "${harm[@]}"
plant_with D torn-record-is-taken store/journal/reader.rs,store/journal/record.rs \
    '/for index in at\.\.after {/,/^        }/ s/Sector::Unwritten => {/Sector::Unwritten => { record.extend([0; ROOM]); continue;/; s/if header\.sum != checksum(.*) || filling/if filling/' "${harm[@]}"
plant_with D damaged-end-is-cut store/journal/reader.rs 's/Sector::Damaged => return Err(self\.damage(number, at, UNSOUND)\.into()),/Sector::Damaged => return Ok(()),/' "${harm[@]}"
plant_with D damaged-record-is-cut store/journal/reader.rs 's/Sector::Damaged => return Err(self\.damage(segment\.number, index, UNSOUND)\.into()),/Sector::Damaged => return Ok(None),/' "${harm[@]}"
plant_with D damage-after-the-end-is-passed-over store/journal/reader.rs '/fn unwritten_from/,/^    }/ s/Sector::Damaged => return Err(self\.damage(segment\.number, index, UNSOUND)),/Sector::Damaged => {}/' "${harm[@]}"
plant_with D what-was-written-later-is-passed-over store/journal/reader.rs '/fn unwritten_from/,/^    }/ s/return Err(self\.damage(segment\.number, at, LATER))/{}/' "${harm[@]}"
plant_with D missing-segment-is-not-missed store/journal/reader.rs 's/Next::Named(named) => Err(self\.missing(named)),/Next::Named(_) => Ok(End { link: self.link, at: self.end, mark: self.mark, torn: None, is_sealed: false }),/' "${harm[@]}"
plant_with D a-full-segment-gets-no-seal store/journal/mod.rs 's/Ok(next) => self\.rotate(next)?,/Ok(_) => return Ok(()),/' "${journal[@]}"
plant_with D chain-not-checked store/journal/record.rs 's/if header\.before != link\.hash {/if false {/' "${journal[@]}"
plant_with D lost-end-is-not-missed store/disk_store.rs 's/&& end\.link\.round < through/\&\& end.link.round < through \&\& false/' "${journal[@]}"
plant_with D an-older-rounds-time-is-loaded store/disk_store.rs 's/now = Some(at);/now = now.or(Some(at));/' "${harm[@]}"
plant_with D generation-is-not-compared store/snapshot.rs 's/if tally\.digest() != expected\.digest {/if false {/' "${journal[@]}"

fallback=(run cargo test --quiet --locked -p seatkeeper --test system store_disk)
plant_with D a-fallback-removes-what-was-newer store/checkpoint.rs 's/if self\.standing == Standing::Sound$/if true/' "${fallback[@]}"
plant_with D a-fallback-writes-over-what-was-newer store/checkpoint.rs 's/Standing::FellBack { newest, \.\. } => newest,/Standing::FellBack { used, .. } => used,/' "${fallback[@]}"
plant_with D a-full-disk-keeps-nothing-for-the-end store/journal/mod.rs 's/left: left\.saturating_sub(self\.reserve_bytes),/left,/' "${journal[@]}"
plant_with D a-long-round-costs-the-last-room store/journal/stock.rs 's/Segment::create(&\*self\.disk, &self\.dir, number, sectors)?;/{ state.ready.clear(); Segment::create(\&*self.disk, \&self.dir, number, sectors)? };/' "${journal[@]}"

# The whole system: what only shows where network, queue, writer, disk and clocks meet. Q is no rule but what the queue
# and the writer promise (invariants 4, 5 and 7 in src/README.md).
world=(run cargo run --quiet --locked -p seatsoak -- world --seeds 300 --steps 220)
plant_with Q answered-after-a-failed-commit service/writer.rs '/fn commit(/,/^    }/ s/^        })?;/        }).ok();/' "${world[@]}"
plant_with Q grants-wait-for-a-later-commit service/writer.rs 's/!matches!(reply, Reply::Denied(_));/!matches!(reply, Reply::Denied(_) | Reply::Seat(_));/' "${world[@]}"
plant_with T2 a-reset-is-durable-at-the-time-before service/writer.rs 's/self\.commit(changes, after)?;/self.commit(changes, now)?;/' "${world[@]}"
plant_with Q answers-go-to-others service/queue.rs 's/answers\.into_iter()\.zip(replies)/answers.into_iter().rev().zip(replies)/' "${world[@]}"
plant_with Q one-source-fills-the-queue service/queue.rs 's/if of_source >= most {/if of_source >= most * 8 {/' "${world[@]}"
plant_with Q the-queue-has-no-bound service/queue.rs 's/mpsc::channel(places)/mpsc::channel(places * 64)/' "${world[@]}"
plant_with Q portions-of-what-is-not-durable service/writer.rs 's/if takes_portion \&\& !self\.noted\.is_empty() {/if false {/' "${world[@]}"
plant_with V3 notes-are-dropped service/writer.rs 's/self\.noted\.append(\&mut changes);/changes.clear();/' "${world[@]}"
plant_with V3 older-notes-come-last service/writer.rs 's/let mut all = std::mem::take(\&mut self\.noted);/let mut all = changes;/; s/all\.extend(changes);/all.append(\&mut self.noted);/' "${world[@]}"
plant_with V3 clock-commits-forget-notes service/writer.rs 's/self\.commit(std::mem::take(\&mut changes), now)?;/changes.clear();/' "${world[@]}"
plant_with Q limits-go-by-the-calendar service/writer.rs 's/self\.decide(request, now, reading\.counted)/self.decide(request, now, Monotonic(reading.calendar.0 * 1_000))/' "${world[@]}"
plant_with Q full-disk-refuses-renewals service/writer.rs 's/if !self\.ledger\.would_engage(checkout) {/if !(self.is_full() || self.ledger.would_engage(checkout)) {/' "${world[@]}"
plant_with X4 a-commit-gives-anew-on-a-full-disk service/writer.rs 's/Command::Commit(settle) => self\.is_full() \&\& .*$/Command::Commit(_) => false,/' "${world[@]}"
plant_with S6 a-start-reclaims-by-the-last-time service/writer.rs '/pub fn reclaim(/,/^    }/ s/let left = self\.reclaim_full_rounds(now)?;/let left = self.reclaim_full_rounds(Now { steady: mark, ..now })?;/' "${world[@]}"
plant_with D a-failed-sync-is-trusted-by-the-next-start store/journal/mod.rs 's/_ => current\.write_again(.*$/_ => {}/' "${world[@]}"

imports=(run cargo test --quiet --locked -p seatkeeper --test system interrupted)
plant_with K8 a-portion-is-skipped cli/import.rs 's/all\.chunks(KEYS_MAX)\.map/all.chunks(KEYS_MAX).step_by(2).map/' "${imports[@]}"
plant_with K8 what-was-done-is-not-told cli/import.rs 's/Err(error) if summary\.answered() == 0 || dry_run => Err(error)/Err(error) if summary.answered() < 1_000 || dry_run => Err(error)/' "${imports[@]}"

if [ "$mode" = check ]; then
    echo "$planted faults, $failures of them cannot be planted"
    [ "$failures" -eq 0 ] && [ "$planted" -gt 0 ]
elif [ "$mode" != list ]; then
    echo "$planted faults planted, $failures not found"
    [ "$failures" -eq 0 ] && [ "$planted" -gt 0 ]
fi
