using System.Text;
using EventMail.Projections.Sorting;
using EventMail.Protocols.Imap.Sorting;
using EventMail.Protocols.Imap.Threading;
using Shouldly;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>What hostile messages may cost in SORT and THREAD.</summary>
public sealed class SortLimitTests
{
    [Fact]
    public void Of_a_long_subject_and_of_long_addresses_only_the_beginning_is_kept()
    {
        var name = new string('n', 100_000);
        var keys = KeysOf($"Subject: {name}\r\nFrom: {name} <{name}@x>\r\nTo: {name} <{name}@x>\r\nCc: {name}@x\r\n");
        foreach (var text in Enum.GetValues<SortText>())
            keys[text].Length.ShouldBe(SortKeys.MaxText, text.ToString());
        // A letter that becomes many octets does not get beyond either.
        var ligatures = string.Concat(Enumerable.Repeat("=EF=B7=BA", 1000));
        KeysOf($"Subject: =?utf-8?q?{ligatures}?=\r\n")[SortText.Subject].Length.ShouldBe(SortKeys.MaxText);
    }

    [Fact]
    public void Long_subjects_that_differ_late_are_threads_of_their_own()
    {
        var subject = new string('s', 1000);
        KeysOf($"Subject: {subject}a\r\n").SubjectId.ShouldNotBe(KeysOf($"Subject: {subject}b\r\n").SubjectId);
    }

    [Fact]
    public void Of_many_references_the_first_and_the_last_ones_are_kept()
    {
        var keys = KeysOf(References(Enumerable.Range(0, 1000)));
        keys.References.Length.ShouldBe(SortKeys.MaxReferences);
        keys.References[0].ShouldBe(IdOf(0));
        keys.References[1].ShouldBe(IdOf(1000 - SortKeys.MaxReferences + 1));
        keys.References[^1].ShouldBe(IdOf(999));
        KeysOf(References(Enumerable.Range(0, SortKeys.MaxReferences))).References.Length.ShouldBe(SortKeys.MaxReferences);
    }

    [Fact]
    public void Ids_that_no_message_has_are_so_many_at_most()
    {
        const int messages = 50;
        const int limit = 1000;
        var keys = Enumerable.Range(0, messages).Select(i => KeysOf(References(Enumerable.Range(i * 100, 100)))).ToArray();
        new ReferenceLinks(new(keys), limit).Parents.Count.ShouldBe(messages + limit);
        new ReferenceLinks(new(keys), int.MaxValue / 2).Parents.Count.ShouldBe(messages * 101);
    }

    [Fact]
    public void Beyond_the_limit_messages_that_are_there_are_linked_as_ever()
    {
        SortKeys[] keys =
        [
            KeysOf(References([1, 2, 3])), KeysOf("Message-ID: <7@x>\r\n"), KeysOf("Message-ID: <8@x>\r\n" + References([5, 7, 6])), KeysOf(References([7, 8])),
        ];
        // 1 is the only dummy, and nobody's parent but of the first message.
        new ReferenceLinks(new(keys), 1).Parents.ShouldBe([4, ThreadForest.None, 1, 2, ThreadForest.None]);
    }

    private static string References(IEnumerable<int> ids) => $"References: {string.Join("\r\n ", ids.Select(id => $"<{id}@x>"))}\r\n";

    private static UInt128 IdOf(int id) => KeysOf($"Message-ID: <{id}@x>\r\n").MessageId;

    private static SortKeys KeysOf(string header) => SortKeys.Of(Encoding.ASCII.GetBytes(header));
}
