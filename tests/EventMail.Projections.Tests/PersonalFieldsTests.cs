using System.Collections;
using System.Text;
using System.Text.RegularExpressions;
using EventMail.EventStore;

namespace EventMail.Projections.Tests;

/// <summary>Every text that an event can hold is sealed, or it is said here why it need not be.</summary>
public sealed partial class PersonalFieldsTests
{
    private const string Id = "an id of ours, or an alias of the log's";
    private const string Word = "a word of a protocol's or of ours, of a small set";
    private const string Verifier = "a digest or a key: it says nobody's name";
    private const string Uids = "a set of numbers";
    private const string Domain = "a domain: those are never sealed, since deliveries and checks are looked for by them";
    private const string RemoteHost = "another server, not a person";
    private const string Nobodys = "the operator's own, in nobody's tenant: domains, aliases, keys and hooks are what the server is configured with";
    private const string MailboxName = "what a mailbox is called: lists, access and UIDVALIDITY are folded from it, and it must be unique";
    private const string Matter = "the operator's name of a matter, and why: they are to be known as long as the hold is";
    private const string Flag = "a flag or keyword: what every mailbox is folded from";

    private static readonly (string Path, string Why)[] Plain =
    [
        ("account_opened.Account", Id),
        ("app_password_*.Id", Id),
        ("app_password_issued.Sha256", Verifier),
        ("password_*.Hash", Verifier),
        ("password_*.Scram*", Verifier),
        ("password_set.Recoverable.*", Verifier),
        ("recoverable_secret_enabled.Secret.*", Verifier),
        ("mailbox_*.Name", MailboxName),
        ("mailbox_renamed.*", MailboxName),
        ("mailbox_created.SpecialUse", Word),
        ("mailbox_acl_changed.*", Id),
        ("message*.Content.Sha256", Verifier),
        ("message*.Flags", Flag),
        ("messages_*.Flags.*", Flag),
        ("flags_changed.Changes.*", Flag),
        ("messages_*.Uids", Uids),
        ("messages_*.SourceUids", Uids),
        ("message_*.Authentication.*.Result", Word),
        ("message_*.Authentication.*.Domain", Domain),
        ("message_*.Authentication.Arc.Sealer", Domain),
        ("message_*.Authentication.Dkim.Selector", Domain),
        ("message_*.Authentication.Dmarc.Policy", Word),
        ("message_*.Authentication.Dmarc.Disposition", Word),
        ("message_*.Verdicts.*", "a filter's word for a message, and names of its rules"),
        ("message_*.By", Word),
        ("message_submitted.Return", Word),
        ("message_submitted.Body", Word),
        ("message_submitted.DeliverBy.Mode", Word),
        ("message_submitted.FutureRelease", "a time"),
        ("message_submitted.Recipients.Domain", Domain),
        ("delivery_*.Domain", Domain),
        ("delivery_*.Node", "a host of ours"),
        ("*.Host", RemoteHost),
        ("delivery_attempted.RemoteAddress", RemoteHost),
        ("delivery_attempted.Tls.*", Word),
        ("delivery_attempted.Stage", Word),
        ("*.Enhanced", Word),
        ("bounce_issued.Action", Word),
        ("login_*.Protocol", Word),
        ("login_*.Mechanism", Word),
        ("login_*.Reason", Word),
        ("login_*.Scope", Word),
        ("login_succeeded.AppPassword", Id),
        ("credentials_captured.Protocol", Word),
        ("credentials_captured.Mechanism", Word),
        ("domain_*.Name", Nobodys),
        ("dkim_key_*", Nobodys),
        ("alias_*", Nobodys),
        ("api_key_*", Nobodys),
        ("webhook_*", Nobodys),
        ("erasure_*", Nobodys),
        ("account_moved_*", RemoteHost),
        ("log_alter*.Fault", Word),
        ("log_alter*.Tenant", Id),
        ("log_altered.Type", "the name of a type of ours"),
        ("read_model_*.Model", "a table of ours"),
        ("read_model_drifted.Tables.*", "tables of ours and keys of their rows, without texts that may be of a person"),
        ("contents_released.Sha256", Verifier),
        ("contents_released.Keys.WrappingKey", Nobodys),
        ("legal_hold_*.Case", Matter),
        ("legal_hold_placed.Reason", Matter),
    ];

    public static TheoryData<string> Aliases => [.. EventTypes.Create().Current.Select(type => type.Alias)];

    [Theory, MemberData(nameof(Aliases))]
    public void Every_text_of_an_event_is_sealed_or_there_is_a_reason_why_not(string alias)
    {
        var texts = TextsOf(EventTypes.Create().Current.Single(type => type.Alias == alias).Type, "").ToList();
        var @sealed = PersonalFields.Members.GetValueOrDefault(alias) ?? [];
        // What is sealed is a member, and what is in it is sealed with it.
        foreach (var path in @sealed)
            texts.ShouldContain(text => text == path || text.StartsWith(path + ".", StringComparison.Ordinal), $"{alias}.{path} is no member that holds a text");
        foreach (var text in texts)
        {
            var isSealed = @sealed.Any(path => text == path || text.StartsWith(path + ".", StringComparison.Ordinal));
            var isPlain = Plain.Any(plain => Matches(plain.Path, $"{alias}.{text}"));
            (isSealed ^ isPlain).ShouldBeTrue($"{alias}.{text}: {(isSealed ? "sealed, and said to be plain" : "neither sealed nor said why not")}");
        }
    }

    [Fact]
    public void Every_reason_is_for_something() =>
        Plain.Where(plain => !EventTypes.Create().Current.Any(type => TextsOf(type.Type, "").Any(text => Matches(plain.Path, $"{type.Alias}.{text}"))))
            .Select(plain => plain.Path).ShouldBeEmpty();

    [Fact]
    public void The_document_names_the_members_that_are_sealed()
    {
        var document = File.ReadAllText(Path.Combine(EventsDocumentTests.Root(), "docs", "events.md"));
        var rows = Row().Matches(document[document.IndexOf("## Personal fields", StringComparison.Ordinal)..document.IndexOf("## Mailboxes", StringComparison.Ordinal)]);
        rows.ToDictionary(row => row.Groups[1].Value, row => Name().Matches(row.Groups[2].Value).Select(name => name.Groups[1].Value).ToList())
            .OrderBy(row => row.Key, StringComparer.Ordinal)
            .Select(row => $"{row.Key}: {string.Join(", ", row.Value)}")
            .ShouldBe(PersonalFields.Members.OrderBy(row => row.Key, StringComparer.Ordinal).Select(row => $"{row.Key}: {string.Join(", ", row.Value)}"));
    }

    /// <summary>As they are written today, with what is personal in a box; and as they were written before there were boxes.</summary>
    [Theory, MemberData(nameof(GoldenEventTests.Files), MemberType = typeof(GoldenEventTests))]
    public void What_is_taken_out_of_an_event_is_put_back_octet_by_octet(string file)
    {
        var types = EventTypes.Create();
        var json = Encoding.UTF8.GetBytes(File.ReadAllText(Path.Combine(EventsDocumentTests.Root(), "tests", "EventMail.Projections.Tests", "Golden", file + ".json")).TrimEnd());
        var splitter = new PersonalSplitter();
        if (types.PersonalOf(file.Split('.')[0]) is not { } members || !splitter.Split(json, members))
            return;
        byte[] rest = [.. splitter.Rest.Written, (byte)'}'];
        Encoding.UTF8.GetString(PersonalMerge.Merge(rest, splitter.Taken.Written)).ShouldBe(Encoding.UTF8.GetString(json));
        // Its stand-ins are values of its type.
        types.TryRead(file.Split('.')[0], rest).ShouldNotBeOfType<UnreadableEvent>();
    }

    private static bool Matches(string pattern, string path) => Regex.IsMatch(path, "^" + Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal) + "$");

    private static IEnumerable<string> TextsOf(Type type, string prefix)
    {
        foreach (var property in type.GetProperties().Where(p => p.GetMethod!.IsPublic && p.Name != "EqualityContract"))
        {
            var of = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (of == typeof(byte[]))
                of = typeof(string);
            else if (of != typeof(string) && typeof(IEnumerable).IsAssignableFrom(of))
                of = of.GetElementType()!;
            if (of == typeof(string))
                yield return prefix + property.Name;
            else if (of.Namespace!.StartsWith("EventMail", StringComparison.Ordinal) && !of.IsEnum)
                foreach (var text in TextsOf(of, $"{prefix}{property.Name}."))
                    yield return text;
        }
    }

    [GeneratedRegex(@"^\| `(\w+)` \| (.*) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"`([\w.]+)`")]
    private static partial Regex Name();
}
