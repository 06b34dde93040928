using EventMail.Testing;

namespace EventMail.Protocols.Tests.Filters;

/// <summary>One store for a class of tests; each test has an account of its own.</summary>
public sealed class FilterStore : IAsyncLifetime
{
    private TestMail? _mail;

    public async Task InitializeAsync() => _mail = await TestMail.StartAsync();

    public async Task<FilteredMail> NewAccountAsync() => new(_mail!, await _mail!.NewAccountAsync());

    public async Task DisposeAsync()
    {
        if (_mail is not null)
            await _mail.DisposeAsync();
    }
}
