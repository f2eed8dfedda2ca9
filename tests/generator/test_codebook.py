"""The codebooks: what they say in training and when they run, how much they are used, and what they learn from."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from generator.codebook import Codebook, DualCodebook, Lookup

ENTRIES, WIDTH = 8, 4


@pytest.fixture
def book() -> Codebook:
    torch.manual_seed(1)
    return Codebook(ENTRIES, WIDTH)


def directions(book: Codebook) -> torch.Tensor:
    return functional.normalize(book.entries.detach(), dim=1)


def test_training_assigns_hard(book: Codebook) -> None:
    query = torch.randn(2, WIDTH, 5)
    out = book.train()(query)
    cosines = torch.einsum("kw,bwt->btk", directions(book), functional.normalize(query, dim=1))
    chosen = directions(book)[cosines.argmax(dim=-1)]
    torch.testing.assert_close(out.vectors.transpose(1, 2), chosen, atol=1e-5, rtol=0)


def test_running_blends_softly_and_near_an_entry_says_that_entry(book: Codebook) -> None:
    book.entries.data = torch.cat([torch.eye(WIDTH), -torch.eye(WIDTH)])
    query = 3 * torch.eye(WIDTH)[None]
    torch.testing.assert_close(book.eval()(query).vectors, torch.eye(WIDTH)[None], atol=1e-5, rtol=0)
    between = book(torch.ones(1, WIDTH, 1)).vectors[0, :, 0]
    torch.testing.assert_close(between, torch.full((WIDTH,), 0.25), atol=1e-5, rtol=0)
    assert book(query).commitment == 0


def test_the_length_of_a_query_counts_only_where_it_is_next_to_nothing(book: Codebook) -> None:
    query = functional.normalize(torch.randn(1, WIDTH, 6), dim=1)
    torch.testing.assert_close(book.eval()(10 * query).vectors, book(100 * query).vectors, atol=1e-3, rtol=0)
    # Rounding errors of a still picture ask for nothing in particular.
    assert book(1e-4 * query).scores.abs().max() < 0.1


def test_gradients_pass_straight_through_to_queries_and_reach_entries(book: Codebook) -> None:
    query = torch.randn(1, WIDTH, 3, requires_grad=True)
    book.train()(query).vectors[..., 0].sum().backward()
    assert query.grad is not None and query.grad[..., 0].any() and not query.grad[..., 1:].any()
    assert book.entries.grad is not None and book.entries.grad.any()


def test_commitment_draws_entries_four_times_as_much_as_queries() -> None:
    book = Codebook(1, 2).train()
    book.entries.data = torch.tensor([[1.0, 0.0]])
    query = torch.tensor([[60.0, 80.0]])[:, :, None].requires_grad_()
    out = book(query)
    assert out.commitment.item() == pytest.approx(1.25 * (1 - 0.6), abs=1e-5)
    out.commitment.backward()
    assert query.grad is not None and book.entries.grad is not None
    assert book.entries.grad.norm() == pytest.approx(4 * 100 * query.grad.norm().item(), rel=1e-3)


def scores_of(entries: list[int], count: int = ENTRIES) -> Lookup:
    scores = 20 * functional.one_hot(torch.tensor(entries), count).float()[None]
    return Lookup(torch.zeros(1, WIDTH, len(entries)), scores, torch.zeros(()))


def test_perplexity_is_the_number_of_entries_in_use() -> None:
    assert scores_of([3] * 10).perplexity().item() == pytest.approx(1, abs=1e-4)
    assert scores_of([0, 1, 2, 3]).perplexity().item() == pytest.approx(4, rel=1e-4)
    assert scores_of(list(range(ENTRIES))).perplexity().item() == pytest.approx(ENTRIES, rel=1e-4)
    assert 1 < scores_of([0, 0, 0, 1]).perplexity().item() < 2


def test_what_asked_nothing_uses_no_entry() -> None:
    lookup = scores_of([1, 2])
    lookup.scores = torch.cat([lookup.scores, torch.zeros(1, 6, ENTRIES)], dim=1)
    assert lookup.perplexity().item() == pytest.approx(2, rel=1e-4)
    lookup.scores = torch.zeros(1, 6, ENTRIES)
    assert lookup.perplexity().item() == pytest.approx(1)


def test_disuse_is_zero_when_all_are_used_alike_and_log_k_for_one_alone() -> None:
    assert scores_of(list(range(ENTRIES))).disuse().item() == pytest.approx(0, abs=1e-5)
    assert scores_of([2] * 5).disuse().item() == pytest.approx(torch.tensor(float(ENTRIES)).log().item(), rel=1e-3)


def test_the_temporal_book_keys_on_change_alone() -> None:
    torch.manual_seed(2)
    dual = DualCodebook(6, ENTRIES, WIDTH, spatial=True, temporal=True).eval()
    tokens, change = torch.randn(1, 6, 2, 2), torch.randn(1, 6, 2, 2)
    spatial, temporal = dual(tokens, tokens - change)
    other_spatial, other_temporal = dual(tokens + 1, tokens + 1 - change)
    torch.testing.assert_close(temporal.vectors, other_temporal.vectors, atol=1e-4, rtol=0)
    assert not torch.allclose(spatial.vectors, other_spatial.vectors, atol=1e-3)
    assert not dual(tokens, tokens)[1].scores.any()


def test_either_book_can_be_missing() -> None:
    tokens = torch.randn(1, 6, 2, 2)
    spatial, temporal = DualCodebook(6, ENTRIES, WIDTH, spatial=True, temporal=False)(tokens, None)
    assert spatial is not None and temporal is None
    spatial, temporal = DualCodebook(6, ENTRIES, WIDTH, spatial=False, temporal=True)(tokens, tokens)
    assert spatial is None and temporal is not None


def test_entries_that_nobody_asks_start_anew_where_tokens_are() -> None:
    # Guards against all tokens sharing one entry: the others were too far off ever to be chosen.
    torch.manual_seed(3)
    book = Codebook(16, 8).train()
    with torch.no_grad():
        book.entries[1:] = -book.entries[:1]
    query = book.entries[0].detach()[None, :, None] + 0.5 * torch.randn(1, 8, 40)
    assert len(set(book(query).scores.argmax(dim=-1).flatten().tolist())) == 1
    for _ in range(300):
        book(query)
        book.restart()
    assert len(set(book(query).scores.argmax(dim=-1).flatten().tolist())) > 8


def test_nothing_asked_restarts_nothing() -> None:
    book = Codebook(16, 8).train()
    before = book.entries.detach().clone()
    for _ in range(200):
        book(torch.zeros(1, 8, 4))
        book.restart()
    assert torch.equal(book.entries, before)
