-- Who took which remediation out of Rampart, and when.

CREATE TABLE export (
    id      INTEGER PRIMARY KEY,
    cluster BIGINT NOT NULL REFERENCES cluster (id),
    item    TEXT NOT NULL,
    at      BIGINT NOT NULL,
    -- As they called themselves.
    by      TEXT NOT NULL,
    stage   TEXT NOT NULL CHECK (stage IN ('observe', 'warn', 'enforce')),
    format  TEXT NOT NULL CHECK (format IN ('yaml', 'undo', 'kustomize', 'component'))
);
-- An index ends with the row's own key, so the last ones are read from its end.
CREATE INDEX export_item ON export (cluster, item);
