import time

import pytest

from helpers.local_openai.lease import JobPaused, JobStopped, Lease, LeaseLost
from helpers.local_openai.objects import new_job
from helpers.local_openai.store import Store


@pytest.fixture
def opened(store):
    return Store(store)


def add_job(store):
    job = new_job({"model": "tiny-chat"})
    store.insert("job", job)
    return job


def test_only_one_worker_gets_the_lease(opened, store):
    lease = Lease.take(opened)
    assert lease and Lease.take(Store(store)) is None
    assert lease.end() and Lease.take(Store(store))


def test_a_lease_that_is_not_renewed_runs_out(opened, store):
    old = Lease.take(opened, 0.05)
    time.sleep(0.1)
    old.renew()  # late, but no one else came
    new = Store(store)
    assert Lease.take(new) is None
    opened.execute("UPDATE lease SET expires_at = 0")
    assert Lease.take(new)
    with pytest.raises(LeaseLost):
        old.renew()


def test_a_worker_without_lease_writes_nothing(opened):
    job, lease = add_job(opened), Lease.take(opened, 0)
    assert Lease.take(Store(opened.folder))
    with pytest.raises(LeaseLost), lease.job_in_work(job["id"]) as taken:
        taken["status"] = "running"
    assert opened.get("job", job["id"])["status"] == "validating_files"


@pytest.mark.parametrize(("status", "stop"), [("cancelled", JobStopped), ("paused", JobPaused)])
def test_a_stopped_job_takes_no_more_writes(opened, status, stop):
    job, lease = add_job(opened), Lease.take(opened)
    with lease.job_in_work(job["id"]) as taken:
        taken["status"] = status
    with pytest.raises(stop), lease.job_in_work(job["id"]):
        raise AssertionError("must not be reached")


def test_the_lease_is_not_given_back_while_a_job_waits(opened):
    lease = Lease.take(opened)
    add_job(opened)
    assert not lease.end()
