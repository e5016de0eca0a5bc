-- The history: what runs found, kept as changes.
--
-- Times are Unix milliseconds, days are days since 1970-01-01 (UTC), lists and maps are JSON. Order is by
-- `run.sequence`, never by time.

-- "Ramp": tells this file from another program's database.
PRAGMA application_id = 1382116720;

CREATE TABLE cluster (
    id                 INTEGER PRIMARY KEY,
    name               TEXT NOT NULL UNIQUE,
    labels             TEXT NOT NULL,
    source             TEXT NOT NULL,
    interval_ms        BIGINT NOT NULL CHECK (interval_ms > 0),
    -- No longer configured clusters stay, and are not listed.
    active             BOOLEAN NOT NULL,
    -- The UID of the namespace kube-system, once seen.
    identity           TEXT,
    version            TEXT,
    distribution       TEXT,
    -- The measure of the last completed run.
    catalogue          TEXT,
    parameters         TEXT,
    last_run           BIGINT,
    last_completed_run BIGINT
);

-- Why runs were not complete. The same text returns every hour, so runs point to it.
CREATE TABLE cause (
    id   INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
);

-- One small row a run: millions a year.
CREATE TABLE run (
    sequence       INTEGER PRIMARY KEY,
    id             BLOB NOT NULL UNIQUE,
    cluster        BIGINT NOT NULL REFERENCES cluster (id),
    kind           TEXT NOT NULL CHECK (kind IN ('complete', 'partial', 'unreachable', 'identity_changed')),
    started_at     BIGINT NOT NULL,
    finished_at    BIGINT NOT NULL,
    changed        BOOLEAN NOT NULL,
    cause          BIGINT REFERENCES cause (id),
    -- Items by outcome; null when no state was recorded.
    pass           BIGINT,
    fail           BIGINT,
    unknown        BIGINT,
    not_applicable BIGINT
);
-- An index ends with the row's own key, so this one is ordered by cluster and sequence.
CREATE INDEX run_cluster ON run (cluster);

-- What was read, refused, and how long it took; only of recent runs and of those that changed something.
CREATE TABLE run_detail (
    run     INTEGER PRIMARY KEY REFERENCES run (sequence),
    cluster BIGINT NOT NULL REFERENCES cluster (id),
    changed BOOLEAN NOT NULL,
    details TEXT NOT NULL
);
CREATE INDEX run_detail_unchanged ON run_detail (cluster, run) WHERE NOT changed;

-- A time during which the state key of an item of a cluster stayed the same.
CREATE TABLE item_state (
    cluster    BIGINT NOT NULL REFERENCES cluster (id),
    item       TEXT NOT NULL,
    from_run   BIGINT NOT NULL REFERENCES run (sequence),
    from_at    BIGINT NOT NULL,
    to_run     BIGINT REFERENCES run (sequence),
    to_at      BIGINT,
    outcome    TEXT NOT NULL CHECK (outcome IN ('pass', 'fail', 'unknown', 'not_applicable')),
    basis      TEXT CHECK (basis IN ('attested', 'provider', 'declared', 'observed')),
    -- Kind, reason and number of named objects of each gap, to read.
    gaps       TEXT NOT NULL,
    -- A digest over kinds, reasons and the objects' names, to compare.
    gaps_key   TEXT NOT NULL,
    catalogue  TEXT NOT NULL,
    parameters TEXT NOT NULL,
    PRIMARY KEY (cluster, item, from_run)
) WITHOUT ROWID;

-- The last evaluation of an item of a cluster: what changes without changing its state.
CREATE TABLE item_latest (
    cluster              BIGINT NOT NULL REFERENCES cluster (id),
    item                 TEXT NOT NULL,
    run                  BIGINT NOT NULL REFERENCES run (sequence),
    evaluated_at         BIGINT NOT NULL,
    -- The key of the standing interval in item_state, and its start.
    state_run            BIGINT NOT NULL REFERENCES run (sequence),
    outcome              TEXT NOT NULL,
    basis                TEXT,
    gaps_key             TEXT NOT NULL,
    catalogue            TEXT NOT NULL,
    parameters           TEXT NOT NULL,
    -- Since when the outcome stands, whatever its basis and gaps.
    since                BIGINT NOT NULL,
    -- The last pass or fail, and by which measure.
    known_outcome        TEXT,
    known_catalogue      TEXT,
    known_parameters     TEXT,
    unit                 TEXT NOT NULL,
    examined             BIGINT NOT NULL,
    violating            BIGINT NOT NULL,
    open_findings        BIGINT NOT NULL,
    unconfirmed_findings BIGINT NOT NULL,
    system_findings      BIGINT NOT NULL,
    gaps                 TEXT NOT NULL,
    notes                TEXT NOT NULL,
    PRIMARY KEY (cluster, item)
);

-- The remediation of the last evaluation; rewritten when its digest changes.
CREATE TABLE remediation (
    cluster     BIGINT NOT NULL REFERENCES cluster (id),
    item        TEXT NOT NULL,
    digest      TEXT NOT NULL,
    remediation TEXT NOT NULL,
    PRIMARY KEY (cluster, item)
);

-- A finding from its opening until it is resolved. When it returns, a new row continues it.
CREATE TABLE finding (
    id             INTEGER PRIMARY KEY,
    cluster        BIGINT NOT NULL REFERENCES cluster (id),
    item           TEXT NOT NULL,
    fingerprint    TEXT NOT NULL,
    -- Over observed and expected; a change is an event.
    content        TEXT NOT NULL,
    -- Over all that is stored of it; a change is written.
    digest         TEXT NOT NULL,
    rule           TEXT NOT NULL,
    scope          TEXT NOT NULL CHECK (scope IN ('application', 'system')),
    api_version    TEXT NOT NULL,
    kind           TEXT NOT NULL,
    namespace      TEXT,
    name           TEXT NOT NULL,
    path           TEXT NOT NULL,
    observed       TEXT NOT NULL,
    expected       TEXT NOT NULL,
    note           TEXT,
    rests_on       TEXT NOT NULL,
    -- Stays through resolving and reopening.
    first_seen     BIGINT NOT NULL,
    opened_run     BIGINT NOT NULL REFERENCES run (sequence),
    opened_at      BIGINT NOT NULL,
    -- Null while the item's last evaluation sees it: its time is in item_latest.
    last_seen      BIGINT,
    unconfirmed_run BIGINT REFERENCES run (sequence),
    unconfirmed_since BIGINT,
    resolved_run   BIGINT REFERENCES run (sequence),
    resolved_at    BIGINT,
    -- A later row continues it.
    superseded     BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE UNIQUE INDEX finding_current ON finding (cluster, item, fingerprint) WHERE NOT superseded;
CREATE INDEX finding_open ON finding (cluster, item) WHERE resolved_at IS NULL;

-- What happened to items and findings.
CREATE TABLE change (
    id      INTEGER PRIMARY KEY,
    run     BIGINT NOT NULL REFERENCES run (sequence),
    at      BIGINT NOT NULL,
    cluster BIGINT NOT NULL REFERENCES cluster (id),
    -- Null where it concerns the cluster: another measure.
    item    TEXT,
    kind    TEXT NOT NULL,
    detail  TEXT NOT NULL
);
CREATE INDEX change_cluster ON change (cluster);
CREATE INDEX change_item ON change (cluster, item);
CREATE INDEX change_measure ON change (cluster, at) WHERE item IS NULL;

-- A day of a cluster, as its last completed run of that day left it.
CREATE TABLE cluster_day (
    cluster        BIGINT NOT NULL REFERENCES cluster (id),
    day            BIGINT NOT NULL,
    run            BIGINT NOT NULL REFERENCES run (sequence),
    finished_at    BIGINT NOT NULL,
    pass           BIGINT NOT NULL,
    fail           BIGINT NOT NULL,
    unknown        BIGINT NOT NULL,
    not_applicable BIGINT NOT NULL,
    violating      BIGINT NOT NULL,
    -- Outcome and violating units by item.
    items          TEXT NOT NULL,
    PRIMARY KEY (cluster, day)
) WITHOUT ROWID;
