using EventMail.Domain.Accounts;

namespace EventMail.Domain.Tests.Accounts;

/// <summary>Just within each limit of an account, and just beyond.</summary>
public sealed class AccountLimitTests
{
    private static readonly AccountState Open = AccountState.Empty("aaaaaaaa").Evolve(new AccountOpened("aaaaaaaa", "joe@example.test", 1000, false), 1, default);

    [Fact]
    public void An_account_subscribes_to_as_many_names_as_the_limit_says_and_may_always_end_a_subscription()
    {
        var state = Open;
        for (var i = 0; i < AccountLimits.Subscriptions; i++)
            state = After(state, AccountDecider.Subscribe(state, $"m{i}"));
        AccountDecider.Subscribe(state, "one more").Rejection!.Kind.ShouldBe(RejectionKind.Limit);
        AccountDecider.Subscribe(state, "m0").Value.ShouldBeEmpty();
        state = After(state, AccountDecider.Unsubscribe(state, "m0"));
        AccountDecider.Subscribe(state, "one more").IsOk.ShouldBeTrue();
    }

    [Fact]
    public void An_account_has_as_many_app_passwords_as_the_limit_says()
    {
        var state = Open;
        for (var i = 0; i < AccountLimits.AppPasswords; i++)
            state = After(state, AccountDecider.IssueAppPassword(state, new($"id{i}", $"name {i}", "")));
        AccountDecider.IssueAppPassword(state, new("more", "one more", "")).Rejection!.Kind.ShouldBe(RejectionKind.Limit);
        state = After(state, AccountDecider.RevokeAppPassword(state, "id0"));
        AccountDecider.IssueAppPassword(state, new("more", "one more", "")).IsOk.ShouldBeTrue();
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    [InlineData(0, false)]
    public void An_app_passwords_name_has_1_to_64_characters(int length, bool isOk) =>
        AccountDecider.IssueAppPassword(Open, new("id", new string('x', length), "")).IsOk.ShouldBe(isOk);

    [Fact]
    public void Quotas_are_not_negative_and_what_is_the_same_changes_nothing()
    {
        AccountDecider.SetQuota(Open, new(-1, null)).Rejection!.Kind.ShouldBe(RejectionKind.Invalid);
        AccountDecider.SetQuota(Open, new(0, -1)).Rejection!.Kind.ShouldBe(RejectionKind.Invalid);
        AccountDecider.SetQuota(Open, new(1000, null)).Value.ShouldBeEmpty();
        AccountDecider.SetQuota(Open, new(0, 0)).Value.ShouldBe([new QuotaLimitSet(0), new MessageLimitSet(0)]);
        var limited = After(Open, AccountDecider.SetQuota(Open, new(1000, 5)));
        (limited.QuotaLimit, limited.MessageLimit).ShouldBe((1000L, 5L));
        After(limited, AccountDecider.SetQuota(limited, new(1000, null))).MessageLimit.ShouldBeNull();
    }

    private static AccountState After(AccountState state, Result<object[]> decided)
    {
        decided.Rejection.ShouldBeNull();
        foreach (var e in decided.Value!)
            state = state.Evolve(e, state.CredentialVersion + 1, default);
        return state;
    }
}
