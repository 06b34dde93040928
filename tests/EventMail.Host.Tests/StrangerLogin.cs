using System.Globalization;
using System.Net;
using EventMail.Host.Composition;
using EventMail.Projections.Accounts;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests;

/// <summary>Logins of names that are no account's, on days that are over.</summary>
internal static class StrangerLogin
{
    private sealed class Clock(int daysAgo) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddDays(-daysAgo);
    }

    public static string DayOf(int daysAgo) => DateTime.UtcNow.AddDays(-daysAgo).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>As a client did that day.</summary>
    public static async Task FailAsync(MailStore store, int daysAgo, string name)
    {
        var authenticator = new Authenticator(store.Log, store.Directory, store.Hasher, store.Key, new(), NullLoggerFactory.Instance, new Clock(daysAgo));
        var login = new LoginContext(IPAddress.Parse("203.0.113.9"), "imap", "s", "PLAIN", true, "{\"client_ip\":\"203.0.113.9\"}");
        (await authenticator.PasswordAsync(name, "wrong"u8.ToArray(), login, default)).Status.ShouldNotBe(LoginStatus.Ok);
    }
}
