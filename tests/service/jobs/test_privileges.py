"""The application enqueues and does nothing else with the queue."""

import asyncpg
import pytest

from tests.service.jobs.support import QueueDatabase

FORBIDDEN = [
    "SELECT * FROM queue.procrastinate_jobs",
    "INSERT INTO queue.procrastinate_jobs (queue_name, task_name) VALUES ('tenant', 'note')",
    "UPDATE queue.procrastinate_jobs SET status = 'failed'",
    "DELETE FROM queue.procrastinate_jobs",
    "TRUNCATE queue.procrastinate_jobs CASCADE",
    "ALTER TABLE queue.procrastinate_jobs ADD COLUMN more text",
    "SELECT * FROM queue.procrastinate_events",
    "SELECT * FROM queue.procrastinate_workers",
    "SELECT * FROM queue_api.run",
    "SELECT * FROM queue_api.job",
    "SELECT * FROM queue_api.exhausted",
    "SELECT queue_api.enqueue_operator('purge', '{}')",
    "SELECT queue_api.retry(1)",
    "SELECT queue_api.recover(1, NULL, 0, NULL, NULL)",
    "SELECT queue.procrastinate_defer_jobs_v1(NULL)",
    "SELECT queue.procrastinate_fetch_job_v2(NULL, NULL)",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_the_application_neither_sees_nor_changes_jobs(database: QueueDatabase, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.fetch(statement, role="mandant_app")


async def test_the_owner_of_the_definer_function_may_insert_jobs_and_no_more(database: QueueDatabase) -> None:
    rows = await database.fetch(
        """
        SELECT c.oid::regclass::text AS name, p.privilege FROM pg_class c,
               unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS p (privilege)
         WHERE c.relkind IN ('r', 'v') AND c.relnamespace::regnamespace::text ~ '^(queue|queue_api|mandant)$'
           AND has_table_privilege('mandant_queue', c.oid, p.privilege)
         ORDER BY 1
        """
    )
    assert [tuple(row) for row in rows] == [
        ("queue.procrastinate_events", "INSERT"),
        ("queue.procrastinate_jobs", "INSERT"),
    ]


async def test_nothing_of_the_queue_is_open_to_everybody(database: QueueDatabase) -> None:
    rows = await database.fetch(
        """
        SELECT p.oid::regprocedure::text AS name
          FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
         WHERE p.pronamespace::regnamespace::text IN ('queue', 'queue_api') AND a.grantee = 0
        """
    )
    assert [row["name"] for row in rows] == []


async def test_every_function_of_the_queue_has_a_search_path_of_its_own(database: QueueDatabase) -> None:
    rows = await database.fetch(
        """
        SELECT p.oid::regprocedure::text AS name FROM pg_proc p
         WHERE p.pronamespace::regnamespace::text IN ('queue', 'queue_api')
           AND NOT coalesce(array_to_string(p.proconfig, ',') LIKE 'search_path=%', false)
        """
    )
    assert [row["name"] for row in rows] == []


async def test_everything_belongs_to_the_owner_but_the_one_definer_function(database: QueueDatabase) -> None:
    rows = await database.fetch(
        """
        SELECT p.oid::regproc::text AS name, p.proowner::regrole::text AS owner, p.prosecdef FROM pg_proc p
         WHERE p.pronamespace::regnamespace::text IN ('queue', 'queue_api')
           AND (p.prosecdef OR p.proowner::regrole::text <> 'mandant_owner')
        """
    )
    assert [tuple(row) for row in rows] == [("queue_api.enqueue", "mandant_queue", True)]
