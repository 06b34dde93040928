using EventMail.Host.Configuration;
using EventMail.Protocols.Dns;
using EventMail.Protocols.Filters.Milter;
using EventMail.Protocols.Filters.Rspamd;
using EventMail.Protocols.Smtp.Data;
using EventMail.Protocols.Smtp.Reception;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Composition;

/// <summary>Filters of spam and viruses, by the settings and in their order: rspamd, then the milters.</summary>
internal sealed class FilterServices : IDisposable
{
    private static readonly char[] Separators = [',', ' ', ';'];

    private readonly List<IReceptionStep> _steps = [];

    /// <exception cref="SettingsException">An address is none, or a password file cannot be read.</exception>
    public FilterServices(HostSettings settings, IDnsSource dns, SpoolSpace spool, ILoggerFactory logs)
    {
        var log = logs.CreateLogger("EventMail.Filters");
        if (settings.Filters.Rspamd.Url.Length > 0)
            _steps.Add(new RspamdStep(RspamdOf(settings.Filters), log));
        var options = MilterOf(settings);
        foreach (var text in settings.Filters.Milters.Split(Separators, StringSplitOptions.RemoveEmptyEntries))
        {
            if (!MilterAddress.TryParse(text, out var address))
                throw new SettingsException($"Filters:Milters has '{text}': write addresses such as unix:/run/milter.sock or inet:127.0.0.1:7357");
            _steps.Add(new MilterStep(address, spool, options, settings.MailAuth.Enabled ? dns : null, log));
        }
        Submission = settings.Filters.Submission;
    }

    /// <summary>Empty: nobody is asked.</summary>
    public IReadOnlyList<IReceptionStep> Steps => _steps;

    /// <summary>They look at submitted mail, too.</summary>
    public bool Submission { get; }

    public void Dispose() => _steps.OfType<IDisposable>().ToList().ForEach(step => step.Dispose());

    private static RspamdOptions RspamdOf(FilterSettings filters)
    {
        var settings = filters.Rspamd;
        if (!Uri.TryCreate(settings.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.PathAndQuery != "/")
            throw new SettingsException($"Filters:Rspamd:Url is '{settings.Url}': write one such as http://127.0.0.1:11333");
        return new()
        {
            Address = url,
            Password = PasswordIn(settings.PasswordFile),
            SettingsId = settings.SettingsId,
            Timeout = settings.Timeout,
            MaxSize = settings.MaxSize,
            MaxConcurrent = settings.MaxConcurrent,
            WhenUnavailable = filters.WhenUnavailable,
            Reject = settings.Reject,
            SoftReject = settings.SoftReject,
            Greylist = settings.Greylist,
            AddHeader = settings.AddHeader,
            RewriteSubject = settings.RewriteSubject,
        };
    }

    private static MilterOptions MilterOf(HostSettings settings) => new()
    {
        ConnectTimeout = settings.Filters.ConnectTimeout,
        ReplyTimeout = settings.Filters.ReplyTimeout,
        RecipientTimeout = settings.Filters.RecipientTimeout,
        MessageTimeout = settings.Filters.MessageTimeout,
        // What may come in may come out of a filter, with some words of its own.
        MaxBody = 2 * settings.Smtp.MaxMessageSize,
        WhenUnavailable = settings.Filters.WhenUnavailable,
    };

    private static string? PasswordIn(string file)
    {
        if (file.Length == 0)
            return null;
        try
        {
            return File.ReadLines(file).FirstOrDefault() is { Length: > 0 } password
                ? password : throw new SettingsException($"Filters:Rspamd:PasswordFile is {file}, whose first line is empty");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"Filters:Rspamd:PasswordFile cannot be read: {error.Message}");
        }
    }
}
