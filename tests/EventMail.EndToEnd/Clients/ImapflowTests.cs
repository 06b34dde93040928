using System.Globalization;
using System.Text;

namespace EventMail.EndToEnd.Clients;

/// <summary>npm's imapflow, which knows the newer extensions; ./test brings it into out/imapflow.</summary>
public sealed class ImapflowTests(MailServer server) : IClassFixture<MailServer>
{
    [NeedsImapflowFact]
    public async Task Imapflow_follows_changes_by_IDLE_CONDSTORE_and_QRESYNC()
    {
        var account = await server.NewAccountAsync();
        var imap = server["imap"];
        var output = await ClientProgram.RunAsync("node",
        [
            Path.Combine(AppContext.BaseDirectory, "Clients", "imapflow", "changes.js"),
            imap.Address.ToString(), imap.Port.ToString(CultureInfo.InvariantCulture), account, MailServer.Password, NeedsImapflowFactAttribute.Folder!,
        ]);
        Encoding.UTF8.GetString(output).Trim().ShouldEndWith("done");
    }
}

/// <summary>Skipped, and counted so, where npm could not bring imapflow.</summary>
public sealed class NeedsImapflowFactAttribute : NeedsFactAttribute
{
    public NeedsImapflowFactAttribute()
        : base("node")
    {
        if (Folder is null)
        {
            Skip ??= "imapflow is not in out/imapflow: ./test has npm install it.";
        }
    }

    public static string? Folder { get; } = Find();

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "out", "imapflow", "node_modules", "imapflow");
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        return null;
    }
}
