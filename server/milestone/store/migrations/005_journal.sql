-- The journal: what every transaction changed, as the statements and values it was changed with, in order.
-- Carried out again on empty tables they give the same tables; see store/journal.py.
CREATE TABLE journal (
    project_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    position BIGINT NOT NULL,
    schema_version INTEGER NOT NULL,
    entries TEXT NOT NULL,
    PRIMARY KEY (project_id, number)
);
