/*
 * Holdfast's leases, line, gates and owner for three models, after docs/scheduling.md.
 * formal/README.md says what is claimed, what is left out, and what was measured; formal/check.sh
 * runs everything. The rules are numbered as in docs/scheduling.md.
 *
 * How time is abstracted. No clock: P, Q, L, R and U are steps that may happen at any moment and,
 * where liveness is claimed, must happen some time (weak fairness of the process that owns them):
 *   P  a waiting ticket grows old          (client: Young -> Old)
 *   Q  a ready model's turn is over        (child: fresh -> 0)
 *   L  a load ends, well or badly          (child: Loading -> Ready or Absent)
 *   U  a stopped child is reaped           (child: Stopping -> Absent)
 *   R  a bitten lease ends (rule 10); a lease that is not bitten may run for ever
 *   15 s  a departed client's place ends   (client: Ghost -> Away)
 * Every order of events that clocks allow is thus one of the model's, and more besides (a younger
 * ticket may grow old first). So a claim that holds here holds for all values of P, Q, L, R and U;
 * what it cannot say is seconds. The bound of docs/scheduling.md is checked as a count instead:
 * which loads start between a ticket's growing old and the load of its own model.
 * Line numbers and places in a queue are kept as ranks, so that the state space is finite.
 *
 * After each event the core settles in the same step, as Scheduler::settle() does. Where the core
 * prefers one model to another by value, or draws two numbers at once, `order` lets both happen.
 */

/* ---- configuration ---- */
#define NM 3
#ifndef BUDGET
#define BUDGET 3
#endif
#ifndef SIZE0
#define SIZE0 2
#define SIZE1 2
#define SIZE2 1
#endif
#define SIZES(m) (m == 0 -> SIZE0 : (m == 1 -> SIZE1 : SIZE2))
#ifndef SLOTS
#define SLOTS 1 /* S */
#endif
#ifndef LOADS
#define LOADS 1 /* C */
#endif
#ifndef NC
#define NC 3 /* clients, each with at most one ticket or lease */
#endif
#ifdef PRIORITY /* of model 2 */
#define PRIO(m) (m == 2)
#else
#define PRIO(m) 0
#endif
/* CANCEL: clients give up. GHOSTS: their places are kept for a while (rule 14).
 * FAIL: loads fail. OOM: loads run out of memory. CRASH: children die. HAND: drain or reload by
 * hand. TIDY: ttl, cleanup, unloading of idle models. FORCE: unload --force.
 * ROAM: each request chooses its model; otherwise client c asks for HOMEc.
 * LIVE: for liveness; unforced steps may be put off for ever, and client 0 never gives up. */
#ifdef ROAM
byte want[NC];
#define MODEL(c) want[c]
#else
#ifndef HOME0
#define HOME0 0
#define HOME1 1
#define HOME2 2
#define HOME3 1
#endif
#define MODEL(c) (c == 0 -> HOME0 : (c == 1 -> HOME1 : (c == 2 -> HOME2 : HOME3)))
#endif
#ifndef MUTANT
#define MUTANT 0
#endif

/* ---- claims; with -DONLY=k only claim k can fail ---- */
#define NOTHING 0
#define IN_USE 1       /* no child is stopped under a lease or while it loads */
#define WITHIN 2       /* reservations never exceed the budget */
#define GENERATION 3   /* a lease is on a living, ready child; grants only through open gates */
#define FEW 4          /* no more leases than slots, no more loads than load slots */
#define ONCE 5         /* a ticket gets one outcome */
#define STANDS 6       /* a ticket is granted at once, or waits for a load under way, or in line */
#define HEADS_ONLY 7   /* urgent or with an owner: only the head starts loads */
#define AHEAD 8        /* an old ticket waits only for loads of those that were ahead of it */
#define OWNER_SURE 9   /* what the owner counts on stays within its reach */
#define NO_HOLD_OUT 10 /* urgent: whoever can be gated is gated, if that is what it takes */
#define FRUGAL 11      /* no gate is shut that the owner does not need */
#define TURN 12        /* a busy model is gated for an owner only when its turn is over */
#define LIFTED 13      /* a gate with tickets behind it, or shut by hand, stays shut */
#define ONE_OWNER 14   /* gates are shut for one model at a time */
#define SETTLES 15     /* the core comes to rest after each event */
#ifdef ONLY
#define CLAIM(k, what) assert(ONLY != k || (what))
#else
#define CLAIM(k, what) assert((what) || k == 0)
#endif

/* ---- state ---- */
#define Absent 0
#define Loading 1
#define Ready 2
#define Gated 3
#define Stopping 4
byte state[NM];
bit hand[NM];   /* Gated: by hand. Loading: drain when ready */
bit fresh[NM];  /* Ready, Gated: the turn is not over */
bit raised[NM]; /* after out of memory the estimate is one unit larger, until the turn ends */
bit unused[NM]; /* may leave at once; this and the next follow from the rest */
bit bites[NM];  /* its leases must end (rule 10) */
byte place[NM]; /* in the line, 1 = smallest number; 0 = not in line */

#define NONE NM
byte owner = NONE;
byte retry = NONE; /* waits for its second attempt */

#define Away 0
#define Young 1
#define Old 2
#define Leased 3
#define GhostYoung 4
#define GhostOld 5
byte client[NC];
byte rank[NC];    /* in the queue of its model, 1 = first */
bit answered[NC]; /* the ticket that waits has had an answer already: never, if all is well */

bit order; /* see above; 0 between events */

#define ANY 7
byte ahead = ANY; /* models that may load before client 0's: bit m for model m */

#define WAITS(c) (client[c] == Young || client[c] == Old)
#define PLUS(m) (raised[m] && SIZES(m) < BUDGET -> 1 : 0)
#define BYTES(m) (SIZES(m) + PLUS(m))

/* ---- scratch, recomputed by measure() ---- */
hidden short v_free, v_leaving, v_draining, v_sum, v_missing, v_got;
hidden byte v_i, v_c, v_m, v_k, v_head, v_x, v_y, v_next, v_loads, v_line, v_rounds;
hidden byte v_leases[NM], v_live[NM], v_queue[NM];
hidden byte v_old[NM], v_urgent, v_takes_x, v_takes_y, v_enough, v_busy, v_rest;
#if MUTANT == 12
byte owed[NM]; /* tickets that waited when the model became ready and are not granted yet */
#endif

inline measure() {
  v_sum = 0; v_leaving = 0; v_draining = 0; v_loads = 0; v_line = 0; v_urgent = 0;
  v_i = 0;
  do
  :: v_i < NM ->
    v_leases[v_i] = 0; v_live[v_i] = 0; v_queue[v_i] = 0; v_old[v_i] = 0;
    if
    :: state[v_i] != Absent -> v_sum = v_sum + BYTES(v_i)
    :: else
    fi;
    if
    :: state[v_i] == Loading -> v_loads++
    :: state[v_i] == Gated -> v_draining = v_draining + BYTES(v_i)
    :: state[v_i] == Stopping -> v_leaving = v_leaving + BYTES(v_i)
    :: else
    fi;
    v_line = v_line + (place[v_i] > 0);
    v_i++
  :: else -> break
  od;
  v_c = 0;
  do
  :: v_c < NC ->
    if
    :: client[v_c] == Leased -> v_leases[MODEL(v_c)]++
    :: client[v_c] != Away && client[v_c] != Leased ->
      v_queue[MODEL(v_c)]++;
      if
      :: WAITS(v_c) -> v_live[MODEL(v_c)]++
      :: else
      fi;
      if
      :: client[v_c] == Old || client[v_c] == GhostOld -> v_old[MODEL(v_c)] = 1
      :: else
      fi
    :: else
    fi;
    v_c++
  :: else -> break
  od;
  v_i = 0;
  do
  :: v_i < NM -> v_urgent = v_urgent || (place[v_i] > 0 && v_old[v_i]); v_i++
  :: else -> break
  od;
#if MUTANT == 3 /* memory counts as free before the child is reaped */
  v_free = BUDGET - v_sum + v_leaving; v_leaving = 0
#else
  v_free = BUDGET - v_sum
#endif
}

/* ---- small steps of the core; what they print shows when a trail is replayed ---- */
#define OPEN(m) (state[m] == Ready)
#define SERVES(m) (state[m] == Ready || state[m] == Gated)
#define UNUSED(m) (v_leases[m] == 0 && (state[m] == Gated || v_live[m] == 0))
#if MUTANT == 1 /* eviction ignores leases */
#define IDLE(m) SERVES(m)
#elif MUTANT == 2 /* eviction ignores loads */
#define IDLE(m) (state[m] == Loading || SERVES(m) && UNUSED(m))
#else
#define IDLE(m) (SERVES(m) && UNUSED(m))
#endif
/* Rule 6: who may be gated for an owner. */
#define GATEABLE(m) (OPEN(m) && (UNUSED(m) || !fresh[m]))
#if MUTANT == 8
#define MAY_GATE(m) (OPEN(m) && !UNUSED(m) && !fresh[m])
#elif MUTANT == 11 /* a fresh model may be gated at once */
#define MAY_GATE(m) OPEN(m)
#elif MUTANT == 12 /* a model may be gated only after all that waited for it are granted */
#define MAY_GATE(m) (OPEN(m) && (UNUSED(m) || owed[m] == 0))
#else
#define MAY_GATE(m) GATEABLE(m)
#endif

inline leave_queue(c) {
  v_k = 0;
  do
  :: v_k < NC ->
    if
    :: rank[v_k] > rank[c] && MODEL(v_k) == MODEL(c) -> rank[v_k]--
    :: else
    fi;
    v_k++
  :: else -> break
  od;
  rank[c] = 0
}

inline leave_line(m) {
  v_k = 0;
  do
  :: v_k < NM ->
    if
    :: place[v_k] > place[m] -> place[v_k]--
    :: else
    fi;
    v_k++
  :: else -> break
  od;
  place[m] = 0
}

/* All tickets of a model are answered with an error. */
inline refuse_all(m) {
  v_c = 0;
  do
  :: v_c < NC ->
    if
    :: rank[v_c] > 0 && MODEL(v_c) == m ->
      CLAIM(ONCE, !answered[v_c]);
      printf("  refuse client %d\n", v_c);
      client[v_c] = Away; rank[v_c] = 0; answered[v_c] = 0
    :: else
    fi;
    v_c++
  :: else -> break
  od
}

inline end_leases(m) {
  v_c = 0;
  do
  :: v_c < NC ->
    if
    :: client[v_c] == Leased && MODEL(v_c) == m -> client[v_c] = Away
    :: else
    fi;
    v_c++
  :: else -> break
  od
}

inline stop(m) {
  CLAIM(IN_USE, SERVES(m) && v_leases[m] == 0);
  printf("  stop %d\n", m);
  state[m] = Stopping; hand[m] = 0; fresh[m] = 0
}

inline gone(m) {
  state[m] = Absent; hand[m] = 0; fresh[m] = 0
}

inline start_load(m) {
  CLAIM(HEADS_ONLY, !(v_urgent || owner != NONE || retry != NONE) || m == v_head);
  if
  :: ahead != ANY && client[0] == Old && m != MODEL(0) && m != retry -> /* a retry: same turn */
    CLAIM(AHEAD, ahead & (1 << m));
    ahead = ahead & ~(1 << m)
  :: m == MODEL(0) -> ahead = ANY
  :: else
  fi;
  printf("  load %d\n", m);
  state[m] = Loading; hand[m] = 0;
  if
  :: retry == m -> retry = NONE
  :: else
  fi;
  leave_line(m)
}

/* The load failed: all tickets are answered; the model may be tried again. */
inline give_up(m) {
  gone(m);
#if MUTANT != 15 /* a failed load leaves its tickets without an answer */
  refuse_all(m);
#endif
  raised[m] = 0
}

/* Rule 1. */
inline grant(m) {
  CLAIM(GENERATION, OPEN(m));
  v_next = NC; v_c = 0;
  do
  :: v_c < NC ->
    if
    :: WAITS(v_c) && MODEL(v_c) == m && (v_next == NC || rank[v_c] < rank[v_next]) -> v_next = v_c
    :: else
    fi;
    v_c++
  :: else -> break
  od;
  CLAIM(ONCE, !answered[v_next]);
  leave_queue(v_next);
  printf("  grant client %d on %d\n", v_next, m);
  client[v_next] = Leased; answered[v_next] = 0
#if MUTANT == 12
  ; owed[m] = (owed[m] > 0 -> owed[m] - 1 : 0)
#endif
}

/* Rule 4's and rule 6's cheapest set among x and y: in the order of value until it suffices, then
 * without what is not needed. */
inline choose(can_x, can_y) {
  v_takes_x = can_x;
  v_got = (v_takes_x -> BYTES(v_x) : 0);
  v_takes_y = (v_got < v_missing && can_y);
  v_got = v_got + (v_takes_y -> BYTES(v_y) : 0);
  v_enough = (v_got >= v_missing);
  v_takes_x = (v_takes_x && v_got - BYTES(v_x) < v_missing)
}

inline shut(m) {
  CLAIM(TURN, GATEABLE(m));
  printf("  shut %d for %d\n", m, v_head);
  state[m] = Gated; hand[m] = 0
}

/* Rules 6, 7, 12 and 13. */
inline gate_for_head() {
#if MUTANT == 14 /* draining memory is not counted */
  v_missing = BYTES(v_head) - v_free - v_leaving - (state[v_head] == Gated -> BYTES(v_head) : 0);
#else
  v_missing = BYTES(v_head) - v_free - v_leaving - v_draining;
#endif
#if MUTANT == 8 /* idle members of the set are left open */
  v_missing = v_missing - (OPEN(v_x) && UNUSED(v_x) -> BYTES(v_x) : 0);
  v_missing = v_missing - (OPEN(v_y) && UNUSED(v_y) -> BYTES(v_y) : 0);
#endif
  if
#if MUTANT == 9 /* patience of the head's tickets only */
  :: owner == NONE && !v_old[v_head]
#else
  :: owner == NONE && !v_urgent
#endif
  :: else ->
    if
#if MUTANT == 14
    :: v_missing > 0 && owner == NONE ->
#else
    :: v_missing > 0 ->
#endif
      choose(MAY_GATE(v_x), MAY_GATE(v_y));
      if
      :: v_enough ->
        CLAIM(ONE_OWNER, owner == NONE || owner == v_head);
        CLAIM(FRUGAL, BYTES(v_head) > v_free + v_leaving + v_draining);
        if
        :: v_takes_x -> shut(v_x)
        :: else
        fi;
        if
        :: v_takes_y -> shut(v_y)
        :: else
        fi;
#if MUTANT != 5 /* gates are shut for nobody in particular */
        owner = v_head;
#endif
        v_rest = 0
      :: else
      fi
    :: else ->
      v_busy = (state[v_x] == Gated && !hand[v_x] && v_leases[v_x] > 0 ||
                state[v_y] == Gated && !hand[v_y] && v_leases[v_y] > 0 ||
                state[v_head] == Gated && !hand[v_head] && v_leases[v_head] > 0);
      if
      :: owner == NONE && MUTANT != 5 -> owner = v_head; v_rest = 0
      :: else ->
        v_i = 0;
        do
        :: v_i < NM && !v_busy ->
          if
          :: state[v_i] == Gated && !hand[v_i] -> stop(v_i); v_rest = 0
          :: else
          fi;
          v_i++
        :: else -> break
        od
      fi
    fi
  fi
}

/* Rules 3, 4, 6 and 7 for the one at the head: the second attempt, the owner, the least number. */
inline serve_head() {
  v_x = (v_head + 1 + order) % NM;
  v_y = (v_head + 2 - order) % NM;
  v_missing = BYTES(v_head) - v_free - v_leaving;
  if
  :: state[v_head] != Absent -> gate_for_head()
  :: state[v_head] == Absent && BYTES(v_head) <= v_free ->
    if
    :: v_loads < LOADS -> start_load(v_head); v_rest = 0
    :: else
    fi
  :: state[v_head] == Absent && BYTES(v_head) > v_free && v_missing > 0 ->
    choose(IDLE(v_x), IDLE(v_y));
    if
    :: v_enough && v_loads < LOADS ->
      if
      :: v_takes_x -> stop(v_x)
      :: else
      fi;
      if
      :: v_takes_y -> stop(v_y)
      :: else
      fi;
      v_rest = 0
    :: v_enough && v_loads >= LOADS
    :: !v_enough && retry == v_head -> give_up(v_head); retry = NONE; v_rest = 0
    :: else -> gate_for_head()
    fi
  :: else
  fi
}

/* The second attempt, the owner, or the least number; priority goes before the young ones only. */
inline find_head() {
  v_head = NONE; v_k = 1;
  do
  :: v_k <= v_line ->
    v_i = 0;
    do
    :: place[v_i] != v_k -> v_i++
    :: else -> break
    od;
    if
    :: v_head == NONE || (!v_old[v_i] && PRIO(v_i) > PRIO(v_head)) -> v_head = v_i
    :: else
    fi;
    if
    :: v_old[v_i] -> break
    :: else -> v_k++
    fi
  :: else -> break
  od;
#if MUTANT != 24 /* the owner does not stay head */
  v_head = (owner != NONE -> owner : v_head);
#endif
  v_head = (retry != NONE -> retry : v_head)
}

/* Rule 9. */
#if MUTANT == 6 /* small models may always overtake */
#define MAY_OVERTAKE (retry == NONE)
#elif MUTANT == 7 /* ... while gates are shut */
#define MAY_OVERTAKE (!v_urgent && retry == NONE)
#else
#define MAY_OVERTAKE (!v_urgent && owner == NONE && retry == NONE)
#endif
inline overtake() {
  v_busy = (state[v_head] == Absent && BYTES(v_head) <= v_free + v_leaving); /* head makes room */
  v_k = 1; /* the place looked at */
  do
  :: v_rest && v_k <= v_line && v_loads + v_busy < LOADS ->
    v_i = 0;
    do
    :: place[v_i] != v_k -> v_i++
    :: else -> break
    od;
    if
    :: v_i != v_head && state[v_i] == Absent && BYTES(v_i) <= v_free &&
       (!v_busy || BYTES(v_i) + BYTES(v_head) <= v_free + v_leaving) ->
      v_rest = 0
    :: else -> v_k++
    fi
  :: else -> break
  od;
  if
  :: v_rest
  :: else -> start_load(v_i)
  fi
}

/* One thing that the rules demand now, if there is one; then v_rest is 0. */
inline settle_step() {
  v_rest = 1;
  v_k = 0;
  do
  :: v_rest && v_k < NM ->
    v_m = (order -> NM - 1 - v_k : v_k);
    if
#if MUTANT == 17 /* grants on a stopping generation */
    :: (OPEN(v_m) || state[v_m] == Stopping) && v_leases[v_m] < SLOTS && v_live[v_m] > 0 ->
#elif MUTANT == 18 /* grants through shut gates */
    :: SERVES(v_m) && v_leases[v_m] < SLOTS && v_live[v_m] > 0 ->
#elif MUTANT == 19 /* one lease too many */
    :: OPEN(v_m) && v_leases[v_m] <= SLOTS && v_live[v_m] > 0 ->
#else
    :: OPEN(v_m) && v_leases[v_m] < SLOTS && v_live[v_m] > 0 ->
#endif
      v_rest = 0;
      grant(v_m)
    :: else
    fi;
    v_k++
  :: else -> break
  od;
  v_m = 0;
  do /* rule 2 */
  :: v_rest && v_m < NM ->
    v_i = (order -> NM - 1 - v_m : v_m);
    if
#if MUTANT == 25 /* who waits for a model that drains by hand stands nowhere */
    :: place[v_i] == 0 && v_queue[v_i] > 0 && !OPEN(v_i) && state[v_i] != Loading && !hand[v_i] ->
#else
    :: place[v_i] == 0 && v_queue[v_i] > 0 && !OPEN(v_i) && state[v_i] != Loading ->
#endif
#if MUTANT == 13 /* whom a gate, a reload or a crash left behind keeps a place in front */
      v_k = 0;
      do
      :: v_k < NM ->
        place[v_k] = (place[v_k] > 0 -> place[v_k] + 1 : 0);
        v_k++
      :: else -> break
      od;
      place[v_i] = (state[v_i] == Gated -> 1 : v_line + 1);
      v_k = 0;
      do
      :: v_k < NM && state[v_i] != Gated ->
        place[v_k] = (v_k != v_i && place[v_k] > 0 -> place[v_k] - 1 : place[v_k]);
        v_k++
      :: else -> break
      od;
#else
      place[v_i] = v_line + 1;
#endif
      v_rest = 0
    :: place[v_i] > 0 && (v_queue[v_i] == 0 || OPEN(v_i) || state[v_i] == Loading) ->
      leave_line(v_i);
      v_rest = 0
    :: else
    fi;
    v_m++
  :: else -> break
  od;
  if
  :: v_rest && owner != NONE && place[owner] == 0 -> owner = NONE; v_rest = 0
  :: v_rest && retry != NONE && place[retry] == 0 -> raised[retry] = 0; retry = NONE; v_rest = 0
  :: else
  fi;
  v_m = 0;
  do /* rule 8 */
  :: v_rest && v_m < NM ->
    if
#if MUTANT == 4 /* a gate is lifted although tickets stand behind it */
    :: state[v_m] == Gated && owner == NONE && !hand[v_m] ->
#elif MUTANT == 16 /* a gate that was shut by hand is lifted */
    :: state[v_m] == Gated && owner == NONE && v_live[v_m] == 0 ->
#elif MUTANT == 23 /* a gate stays shut although nobody needs it any more */
    :: false ->
#else
    :: state[v_m] == Gated && owner == NONE && !hand[v_m] && v_live[v_m] == 0 ->
#endif
      CLAIM(LIFTED, !hand[v_m] && v_live[v_m] == 0);
      printf("  open %d\n", v_m);
      state[v_m] = Ready; hand[v_m] = 0; v_rest = 0
    :: state[v_m] == Gated && v_leases[v_m] == 0 && (hand[v_m] || v_live[v_m] > 0) ->
      stop(v_m); v_rest = 0
    :: else
    fi;
    v_m++
  :: else -> break
  od;
  if
  :: v_rest && v_line > 0 ->
    find_head();
    serve_head();
    if
    :: v_rest && v_line > 1 && MAY_OVERTAKE -> overtake()
    :: else
    fi
  :: else
  fi
}

/* What must be true whenever the core is at rest. */
inline check() {
  CLAIM(WITHIN, v_sum <= BUDGET);
  CLAIM(FEW, v_loads <= LOADS);
  v_line = 0;
  v_i = 0;
  do
  :: v_i < NM ->
    CLAIM(FEW, v_leases[v_i] <= SLOTS);
    CLAIM(GENERATION, v_leases[v_i] == 0 || SERVES(v_i));
    CLAIM(STANDS, v_queue[v_i] == 0 || OPEN(v_i) || state[v_i] == Loading || place[v_i] > 0);
    CLAIM(STANDS, !(OPEN(v_i) && v_live[v_i] > 0 && v_leases[v_i] < SLOTS));
    v_line = v_line + (place[v_i] > 0);
    v_i++
  :: else -> break
  od;
  v_i = 0;
  do
  :: v_i < NM ->
    unused[v_i] = IDLE(v_i);
    bites[v_i] = state[v_i] == Gated && (!hand[v_i] || v_line > 0);
#if MUTANT != 10 /* only gated models are bitten */
    v_busy = 0; /* an own ticket is old */
    v_c = 0;
    do
    :: v_c < NC -> v_busy = v_busy || (client[v_c] == Old && MODEL(v_c) == v_i); v_c++
    :: else -> break
    od;
    bites[v_i] = bites[v_i] || (OPEN(v_i) && v_busy && v_leases[v_i] == SLOTS);
#endif
    v_i++
  :: else -> break
  od;
  if /* the sums of all that could be had, for whom it is needed */
  :: v_line > 0 && retry == NONE && (v_urgent || owner != NONE) ->
    find_head();
    v_got = v_free + v_leaving + v_draining;
    v_missing = BYTES(v_head) - v_free - v_leaving; /* less the idle ones */
    v_i = 0;
    do
    :: v_i < NM ->
      v_got = v_got + (GATEABLE(v_i) -> BYTES(v_i) : 0);
      v_missing = v_missing - (IDLE(v_i) -> BYTES(v_i) : 0);
      v_i++
    :: else -> break
    od;
    CLAIM(NO_HOLD_OUT, owner != NONE || v_got < BYTES(v_head) || v_missing <= 0);
#ifdef OOM /* another model's second attempt may take some; then more is added (rule 13) */
    CLAIM(OWNER_SURE, owner == NONE || v_got < BYTES(v_head) ||
                      BYTES(v_head) <= v_free + v_leaving + v_draining)
#else
    CLAIM(OWNER_SURE, owner == NONE || BYTES(v_head) <= v_free + v_leaving + v_draining)
#endif
  :: else
  fi;
  if /* who has a smaller number, and the owner: they grow fewer, each loads once */
  :: client[0] != Old -> ahead = ANY
  :: client[0] == Old && place[MODEL(0)] > 0 ->
    v_k = 0;
    v_i = 0;
    do
    :: v_i < NM ->
      v_k = v_k + ((v_i != MODEL(0) && place[v_i] > 0 &&
                    (place[v_i] < place[MODEL(0)] || v_i == owner)) << v_i);
      v_i++
    :: else -> break
    od;
    ahead = ahead & v_k
  :: else
  fi
}

inline settle() {
  v_rounds = 0;
  do
  :: v_rounds < 40 ->
    measure();
    settle_step();
    v_rounds++;
    if
    :: v_rest -> break
    :: else
    fi
  :: else -> break
  od;
  CLAIM(SETTLES, v_rounds < 40);
  check();
  order = 0
}

/* Two ready models may be preferred in either order. */
inline choose_order() {
  if
  :: order = 0
  :: SERVES(0) + SERVES(1) + SERVES(2) >= 2 -> order = 1
  fi
}

/* ---- the world ---- */
#ifdef LIVE
#define PUT_OFF(when) :: (when)
#define MAY_LEAVE(c) (WAITS(c) && c > 0)
#else
#define PUT_OFF(when)
#define MAY_LEAVE(c) WAITS(c)
#endif

active [NC] proctype requester() {
  do
  :: atomic {
    if
#ifdef ROAM
    :: client[_pid] == Away -> want[_pid] = 0
    :: client[_pid] == Away -> want[_pid] = 1
    :: client[_pid] == Away -> want[_pid] = 2
#else
    :: client[_pid] == Away
#endif
    fi;
    d_step {
      v_i = 1; v_k = 0;
      do
      :: v_k < NC -> v_i = v_i + (rank[v_k] > 0 && MODEL(v_k) == MODEL(_pid)); v_k++
      :: else -> break
      od;
      rank[_pid] = v_i;
      client[_pid] = Young;
      printf("client %d asks for %d\n", _pid, MODEL(_pid))
    }
    choose_order();
    d_step { settle() }
  }
  :: atomic {
    if
    :: client[_pid] == Young -> client[_pid] = Old; printf("client %d is old\n", _pid)
    :: client[_pid] == Leased -> client[_pid] = Away; printf("client %d is done\n", _pid)
#ifdef CANCEL
    :: d_step { MAY_LEAVE(_pid); leave_queue(_pid); client[_pid] = Away };
       printf("client %d gives up\n", _pid)
#endif
#ifdef GHOSTS
    :: MAY_LEAVE(_pid) -> client[_pid] = client[_pid] + GhostYoung - Young;
       printf("client %d departs, its place is kept\n", _pid)
    :: client[_pid] == GhostYoung -> client[_pid] = GhostOld; printf("its place is old\n")
    :: client[_pid] >= GhostYoung -> client[_pid] = client[_pid] - GhostYoung + Young;
       printf("client %d comes back\n", _pid)
    :: d_step { client[_pid] >= GhostYoung; leave_queue(_pid); client[_pid] = Away };
       printf("the place of client %d ends\n", _pid)
#endif
    fi;
    choose_order();
    d_step { settle() }
  }
  PUT_OFF(client[_pid] == Away || client[_pid] == Old ||
          client[_pid] == Leased && !bites[MODEL(_pid)])
  od
}

#define ME (_pid - NC)
active [NM] proctype child() {
  do
  :: atomic {
    if
    :: d_step {
      state[ME] == Loading; /* ready: who waits is served first, then the gate is shut */
      state[ME] = Ready; fresh[ME] = 1;
      measure();
#if MUTANT == 12
      owed[ME] = v_live[ME];
#endif
      do
      :: hand[ME] && v_leases[ME] < SLOTS && v_live[ME] > 0 -> grant(ME); measure()
      :: else -> break
      od;
      state[ME] = (hand[ME] -> Gated : Ready)
    };
       printf("%d is ready\n", ME)
#ifdef FAIL
    :: d_step { state[ME] == Loading; give_up(ME) }; printf("%d failed to load\n", ME)
#endif
#ifdef OOM
    :: d_step {
      state[ME] == Loading;
      measure();
      if
#if MUTANT == 21 /* a retry after every out-of-memory */
      :: v_queue[ME] > 0 && !hand[ME] -> gone(ME); raised[ME] = 1; retry = ME
#else
      :: !raised[ME] && v_queue[ME] > 0 && !hand[ME] ->
#if MUTANT == 20 /* tickets are told of the failure, and yet kept for the retry */
        v_c = 0;
        do
        :: v_c < NC -> answered[v_c] = answered[v_c] || (WAITS(v_c) && MODEL(v_c) == ME); v_c++
        :: else -> break
        od;
#endif
        gone(ME); raised[ME] = 1; retry = ME
#endif
      :: else -> give_up(ME)
      fi
    };
       printf("%d ran out of memory\n", ME)
#endif
    :: d_step { state[ME] == Stopping; gone(ME); raised[ME] = 0 }; printf("%d is reaped\n", ME)
    :: fresh[ME] -> fresh[ME] = 0; printf("the turn of %d is over\n", ME)
#ifdef CRASH
#if MUTANT == 22 /* a crash keeps the leases */
    :: d_step { SERVES(ME); gone(ME); raised[ME] = 0 }; printf("%d crashed\n", ME)
#else
    :: d_step { SERVES(ME); end_leases(ME); gone(ME); raised[ME] = 0 };
       printf("%d crashed\n", ME)
    :: d_step { SERVES(ME); end_leases(ME); give_up(ME) }; printf("%d crashed again\n", ME)
#endif
#endif
#ifdef HAND
    :: d_step { SERVES(ME) && !hand[ME]; state[ME] = Gated; hand[ME] = 1 };
       printf("%d is drained by hand\n", ME)
    :: state[ME] == Loading && !hand[ME] -> hand[ME] = 1; printf("%d is to drain\n", ME)
#endif
#ifdef TIDY
    :: d_step { unused[ME]; measure(); stop(ME) }; printf("%d is tidied away\n", ME)
#endif
#ifdef FORCE
    :: d_step { SERVES(ME); end_leases(ME); measure(); stop(ME) }; printf("%d by force\n", ME)
    :: d_step { state[ME] == Loading; refuse_all(ME); state[ME] = Stopping; hand[ME] = 0 };
       printf("%d by force\n", ME)
#endif
    fi;
    choose_order();
    d_step { settle() }
  }
  PUT_OFF(SERVES(ME) && !fresh[ME])
  od
}

#ifdef LIVE
/* Nobody waits for ever, nobody owns for ever, no gate that is shut for an owner stays shut. */
#define FOR_OWNER(m) (state[m] == Gated && !hand[m])
ltl progress {
  []<>(!WAITS(0)) && []<>(owner != 0) && []<>(owner != 1) && []<>(owner != 2) &&
  []<>(!FOR_OWNER(0)) && []<>(!FOR_OWNER(1)) && []<>(!FOR_OWNER(2))
}
#endif
