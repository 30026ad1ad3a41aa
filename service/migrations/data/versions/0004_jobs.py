"""The job queue: procrastinate's tables in the schema `queue`, and the few ways in, in `queue_api`.

mandant_app may enqueue for the tenant of its transaction and nothing else: it sees no job. mandant_worker
fetches, ends and sweeps. `queue_api.enqueue` belongs to mandant_queue, which may insert jobs and no more.

Error codes: MQ001 no tenant or another one, MQ422 an argument that is no id (the detail is its key).
"""

from typing import Any

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0004_jobs"
down_revision = "0003_people"

_ROLES = "mandant_app, mandant_worker"

_BEFORE = (
    "CREATE SCHEMA queue",
    "CREATE SCHEMA queue_api",
    "SET LOCAL search_path = queue, pg_temp",
)

_AFTER = (
    "SET LOCAL search_path TO DEFAULT",
    "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA queue FROM PUBLIC",
    # Its functions name their tables without a schema. Pinned, they mean ours whoever calls them.
    """
    DO $$
    DECLARE
        v_function regprocedure;
    BEGIN
        FOR v_function IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'queue'::regnamespace LOOP
            EXECUTE format('ALTER FUNCTION %s SET search_path = queue, pg_temp', v_function);
        END LOOP;
    END
    $$
    """,
    """
    CREATE TABLE queue_api.run (
        job_id      bigint PRIMARY KEY REFERENCES queue.procrastinate_jobs ON DELETE CASCADE,
        starts      integer NOT NULL CHECK (starts >= 0),
        outcome     text CHECK (outcome IN ('exhausted', 'gone', 'superseded')),
        error_class text CHECK (error_class ~ '^[A-Za-z_][A-Za-z0-9_]{0,99}$'),
        ended_at    timestamptz
    )
    """,
    # Nothing here is a tenant's content: numbers, names of tasks, ids.
    """
    DO $$
    DECLARE
        v_column record;
    BEGIN
        FOR v_column IN SELECT c.oid::regclass AS relation, a.attname AS name FROM pg_class c
                          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                         WHERE c.relkind = 'r'
                           AND c.relnamespace IN ('queue'::regnamespace, 'queue_api'::regnamespace) LOOP
            EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', v_column.relation, v_column.name, 'directory');
        END LOOP;
    END
    $$
    """,
    "COMMENT ON TABLE queue.procrastinate_jobs IS 'queue: jobs; their arguments are ids'",
    "COMMENT ON TABLE queue.procrastinate_events IS 'queue: when a job changed its status'",
    "COMMENT ON TABLE queue.procrastinate_periodic_defers IS 'queue: which ticks were enqueued'",
    "COMMENT ON TABLE queue.procrastinate_workers IS 'queue: heartbeats'",
    "COMMENT ON TABLE queue_api.run IS 'queue: how often a job was started, how it ended'",
    "COMMENT ON COLUMN queue_api.run.error_class IS 'directory: name of the last error''s class, no message'",
    # A start counts in the very commit that hands the job to a worker, so it counts when that worker dies.
    """
    CREATE FUNCTION queue_api.count_start() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        INSERT INTO queue_api.run AS r (job_id, starts) VALUES (NEW.id, 1)
            ON CONFLICT (job_id) DO UPDATE SET starts = r.starts + 1;
        RETURN NULL;
    END
    $$
    """,
    """
    CREATE TRIGGER mandant_count_start AFTER UPDATE OF status ON queue.procrastinate_jobs
        FOR EACH ROW WHEN (OLD.status = 'todo' AND NEW.status = 'doing')
        EXECUTE FUNCTION queue_api.count_start()
    """,
    # The advisory lock that a worker holds while it runs the job.
    """
    CREATE FUNCTION queue_api.lock_key(p_job bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT hashtextextended('mandant.job.' || p_job::text, 0) $$
    """,
    """
    CREATE FUNCTION queue_api.check_args(p_task text, p_args jsonb) RETURNS void LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        v_key text;
        v_value jsonb;
        v_text text;
        v_count integer := 0;
    BEGIN
        IF p_task IS NULL OR p_task !~ '^[a-z][a-z0-9_]{0,63}$' THEN
            RAISE EXCEPTION 'no name of a task' USING ERRCODE = 'MQ422';
        END IF;
        IF p_args IS NULL OR jsonb_typeof(p_args) <> 'object' THEN
            RAISE EXCEPTION 'the arguments are no object' USING ERRCODE = 'MQ422';
        END IF;
        FOR v_key, v_value IN SELECT e.key, e.value FROM jsonb_each(p_args) e LOOP
            v_count := v_count + 1;
            v_text := v_value #>> '{}';
            IF v_count > 8 OR v_key !~ '^[a-z][a-z0-9_]{0,39}$' OR v_key IN ('tenant_id', 'timestamp')
               OR NOT (CASE jsonb_typeof(v_value)
                   WHEN 'number' THEN v_text ~ '^[0-9]{1,10}$' AND v_text::numeric <= 2147483647
                   WHEN 'string' THEN
                       v_text ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
                       OR (v_key IN ('category', 'format', 'mode', 'module', 'step')
                           AND v_text ~ '^[a-z][a-z0-9_]{0,31}$')
                   ELSE false END)
            THEN
                RAISE EXCEPTION 'a job argument is no id' USING ERRCODE = 'MQ422', DETAIL = left(v_key, 40);
            END IF;
        END LOOP;
    END
    $$
    """,
    # No queueing_lock: procrastinate could then not put a failed job back while its successor waits.
    """
    CREATE FUNCTION queue_api.enqueue(p_tenant uuid, p_task text, p_args jsonb)
    RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        v_lock text;
        v_job bigint;
    BEGIN
        IF p_tenant IS NULL
           OR nullif(current_setting('mandant.tenant', true), '')::uuid IS DISTINCT FROM p_tenant THEN
            RAISE EXCEPTION 'no tenant, or another one' USING ERRCODE = 'MQ001';
        END IF;
        PERFORM queue_api.check_args(p_task, p_args);
        IF p_args ? 'job_id' THEN
            v_lock := concat_ws('/', p_tenant, p_task, p_args ->> 'job_id');
            PERFORM pg_advisory_xact_lock(hashtextextended(v_lock, 0));
            SELECT j.id INTO v_job FROM queue.procrastinate_jobs j
             WHERE j.lock = v_lock AND j.status = 'todo' LIMIT 1;
            IF FOUND THEN
                RETURN v_job;
            END IF;
        END IF;
        RETURN (queue.procrastinate_defer_jobs_v1(ARRAY[ROW(
            'tenant', p_task, 0, v_lock, NULL, p_args || jsonb_build_object('tenant_id', p_tenant), NULL
        )::queue.procrastinate_job_to_defer_v1]))[1];
    END
    $$
    """,
    # The operator's own jobs have no tenant. Runs as the caller, and only the worker may insert.
    """
    CREATE FUNCTION queue_api.enqueue_operator(p_task text, p_args jsonb)
    RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        PERFORM queue_api.check_args(p_task, p_args);
        RETURN (queue.procrastinate_defer_jobs_v1(ARRAY[ROW(
            'operator', p_task, 0, NULL, NULL, p_args, NULL
        )::queue.procrastinate_job_to_defer_v1]))[1];
    END
    $$
    """,
    # What becomes of a job whose worker no longer shows: nothing while somebody holds its lock, because
    # then it is still being run; else it waits for its next attempt, or ends. Returns alive, moved, again,
    # exhausted or superseded.
    """
    CREATE FUNCTION queue_api.recover(
        p_job bigint, p_worker bigint, p_attempts integer, p_retry_at timestamptz, p_at timestamptz)
    RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        v_queue text;
        v_starts integer;
        v_outcome text;
    BEGIN
        IF NOT pg_try_advisory_xact_lock(queue_api.lock_key(p_job)) THEN
            RETURN 'alive';
        END IF;
        SELECT j.queue_name INTO v_queue FROM queue.procrastinate_jobs j
         WHERE j.id = p_job AND j.status = 'doing' AND j.worker_id IS NOT DISTINCT FROM p_worker
           FOR UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            RETURN 'moved';
        END IF;
        SELECT r.starts INTO v_starts FROM queue_api.run r WHERE r.job_id = p_job;
        IF v_queue = 'timers' THEN
            v_outcome := 'superseded';
        ELSIF v_starts >= p_attempts THEN
            v_outcome := 'exhausted';
        END IF;
        UPDATE queue_api.run r
           SET outcome = v_outcome, error_class = 'WorkerLost',
               ended_at = CASE WHEN v_outcome IS NULL THEN NULL ELSE p_at END
         WHERE r.job_id = p_job;
        IF v_outcome IS NULL THEN
            PERFORM queue.procrastinate_retry_job_v2(p_job, p_retry_at, NULL, NULL, NULL);
            RETURN 'again';
        END IF;
        PERFORM queue.procrastinate_finish_job_v1(
            p_job,
            CASE v_outcome WHEN 'superseded' THEN 'aborted' ELSE 'failed' END::queue.procrastinate_job_status,
            false);
        RETURN v_outcome;
    END
    $$
    """,
    # A person gives an exhausted job all its attempts again. False where there is no such job.
    """
    CREATE FUNCTION queue_api.retry(p_job bigint) RETURNS boolean LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        PERFORM 1 FROM queue.procrastinate_jobs j WHERE j.id = p_job AND j.status = 'failed' FOR UPDATE;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
        UPDATE queue_api.run r SET starts = 0, outcome = NULL, error_class = NULL, ended_at = NULL
         WHERE r.job_id = p_job;
        PERFORM queue.procrastinate_retry_job_v2(p_job, NULL, NULL, NULL, NULL);
        RETURN true;
    END
    $$
    """,
    """
    CREATE VIEW queue_api.job WITH (security_invoker = true) AS
        SELECT j.id AS job_id, j.task_name::text AS task, (j.args ->> 'tenant_id')::uuid AS tenant_id,
               j.status::text AS status, coalesce(r.starts, 0) AS attempts, j.scheduled_at, r.outcome,
               r.error_class, r.ended_at
          FROM queue.procrastinate_jobs j LEFT JOIN queue_api.run r ON r.job_id = j.id
    """,
    # Whatever failed for good, also a job whose task no worker knows: procrastinate fails it by itself.
    """
    CREATE VIEW queue_api.exhausted WITH (security_invoker = true) AS
        SELECT j.job_id, j.task, j.tenant_id, j.attempts,
               coalesce(j.error_class, 'TaskNotFound') AS error_class, j.ended_at
          FROM queue_api.job j WHERE j.status = 'failed'
    """,
    "COMMENT ON VIEW queue_api.job IS 'queue: jobs and their attempts'",
    "COMMENT ON VIEW queue_api.exhausted IS 'queue: jobs that a person has to look at'",
    "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA queue_api FROM PUBLIC",
    f"GRANT USAGE ON SCHEMA queue_api TO {_ROLES}, mandant_queue",
    "GRANT USAGE ON SCHEMA queue TO mandant_worker, mandant_queue",
    f"GRANT EXECUTE ON FUNCTION queue_api.enqueue TO {_ROLES}",
    "GRANT EXECUTE ON FUNCTION queue_api.check_args TO mandant_queue, mandant_worker",
    "GRANT EXECUTE ON FUNCTION queue_api.enqueue_operator, queue_api.recover, queue_api.retry,"
    " queue_api.lock_key, queue_api.count_start TO mandant_worker",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA queue TO mandant_worker",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA queue TO mandant_worker",
    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA queue TO mandant_worker",
    "GRANT SELECT, INSERT, UPDATE ON queue_api.run TO mandant_worker",
    "GRANT SELECT ON queue_api.job, queue_api.exhausted TO mandant_worker",
    "GRANT INSERT ON queue.procrastinate_jobs, queue.procrastinate_events TO mandant_queue",
    "GRANT SELECT (id, lock, status) ON queue.procrastinate_jobs TO mandant_queue",
    "GRANT USAGE ON SEQUENCE queue.procrastinate_jobs_id_seq, queue.procrastinate_events_id_seq"
    " TO mandant_queue",
    "GRANT EXECUTE ON FUNCTION queue.procrastinate_defer_jobs_v1 TO mandant_queue",
    # A new owner needs CREATE on the schema for that moment.
    "GRANT CREATE ON SCHEMA queue_api TO mandant_queue",
    "ALTER FUNCTION queue_api.enqueue OWNER TO mandant_queue",
    "REVOKE CREATE ON SCHEMA queue_api FROM mandant_queue",
)


def upgrade() -> None:
    for statement in _BEFORE:
        op.execute(statement)
    _install_procrastinate()
    for statement in _AFTER:
        op.execute(statement)


def _install_procrastinate() -> None:
    """Run the installed package's own schema: many statements, which asyncpg takes only unprepared."""
    connection: Any = op.get_bind().connection.dbapi_connection
    connection.run_async(lambda asyncpg_connection: asyncpg_connection.execute(SchemaManager.get_schema()))
