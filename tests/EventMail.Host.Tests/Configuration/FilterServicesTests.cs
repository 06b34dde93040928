using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Protocols.Filters.Milter;
using EventMail.Protocols.Filters.Rspamd;
using EventMail.Protocols.Smtp.Data;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Configuration;

/// <summary>Filters as the settings name them: in order, or told clearly at the start.</summary>
public sealed class FilterServicesTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Without_a_filter_nobody_is_asked()
    {
        using var filters = Of(new());
        filters.Steps.ShouldBeEmpty();
        filters.Submission.ShouldBeFalse();
    }

    [Fact]
    public void Rspamd_comes_first_then_the_milters()
    {
        using var filters = Of(new()
        {
            Submission = true,
            Rspamd = new() { Url = "http://127.0.0.1:11333", PasswordFile = File("secret\nmore\n") },
            Milters = "unix:/run/one.sock, inet:[::1]:7357",
        });
        filters.Steps.Select(step => step.GetType()).ShouldBe([typeof(RspamdStep), typeof(MilterStep), typeof(MilterStep)]);
        filters.Submission.ShouldBeTrue();
    }

    [Theory]
    [InlineData("inet:127.0.0.1")]
    [InlineData("unix:/run/one.sock,milter.example:25")]
    [InlineData("/run/one.sock")]
    public void A_milter_s_address_that_is_none_is_named(string milters) => FaultOf(new() { Milters = milters })
        .ShouldBe($"Filters:Milters has '{milters.Split(',')[^1]}': write addresses such as unix:/run/milter.sock or inet:127.0.0.1:7357");

    [Theory]
    [InlineData("127.0.0.1:11333")]
    [InlineData("rspamd")]
    [InlineData("unix:/run/rspamd.sock")]
    [InlineData("http://127.0.0.1:11333/checkv2")]
    public void A_URL_that_is_none_is_named(string url) => FaultOf(new() { Rspamd = new() { Url = url } })
        .ShouldBe($"Filters:Rspamd:Url is '{url}': write one such as http://127.0.0.1:11333");

    [Fact]
    public void A_password_that_cannot_be_read_or_is_empty_is_named()
    {
        FaultOf(new() { Rspamd = new() { Url = "http://127.0.0.1:11333", PasswordFile = Path.Combine(_folder.Path, "none") } })
            .ShouldStartWith("Filters:Rspamd:PasswordFile cannot be read: ");
        var empty = File("\n");
        FaultOf(new() { Rspamd = new() { Url = "http://127.0.0.1:11333", PasswordFile = empty } })
            .ShouldBe($"Filters:Rspamd:PasswordFile is {empty}, whose first line is empty");
    }

    private string FaultOf(FilterSettings settings) => Should.Throw<SettingsException>(() => Of(settings).Dispose()).Faults.ShouldHaveSingleItem();

    private FilterServices Of(FilterSettings filters)
    {
        var settings = new HostSettings { Filters = filters };
        using var names = NameServices.Resolver(settings.Dns, NullLoggerFactory.Instance);
        return new(settings, names, new SpoolSpace(Path.Combine(_folder.Path, "spool")), NullLoggerFactory.Instance);
    }

    private string File(string text)
    {
        var path = Path.Combine(Directory.CreateDirectory(_folder.Path).FullName, "password");
        System.IO.File.WriteAllText(path, text);
        return path;
    }
}
