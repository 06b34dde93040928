using EventMail.EventStore.Proof;

namespace EventMail.EventStore.Tests.Proof;

/// <summary>C2SP signed-note and tlog-checkpoint.</summary>
public class SignedNoteTests
{
    // The example of golang.org/x/mod/sumdb/note.
    private const string Text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    private const string Secret = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    private const string Key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    private const string Signed = Text + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    private static readonly NoteSigningKey Ours = NoteSigningKey.Generate("mail.example.org");

    private static readonly Checkpoint Point =
        Checkpoint.Of("mail.example.org", 17, TreeHash.Empty, new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public void A_known_note_is_signed_and_read_as_others_do()
    {
        NoteSigningKey.Parse(Secret).Sign(Text).ToString().ShouldBe(Signed);
        NoteSigningKey.Parse(Secret).ToSecretText().ShouldBe(Secret);
        NoteSigningKey.Parse(Secret).Public.ToString().ShouldBe(Key);
        SignedNote.Parse(Signed).IsSignedBy(NoteKey.Parse(Key)).ShouldBeTrue();
        SignedNote.Parse(Signed).ToString().ShouldBe(Signed);
    }

    [Fact]
    public void Another_key_another_name_or_another_text_is_not_what_was_signed()
    {
        var note = SignedNote.Parse(Signed);
        note.IsSignedBy(Ours.Public).ShouldBeFalse();
        (note with { Text = note.Text.Replace("your", "my") }).IsSignedBy(NoteKey.Parse(Key)).ShouldBeFalse();
        var octets = Convert.FromBase64String(Key.Split('+', 3)[2]);
        note.IsSignedBy(new("OtherName", octets.AsSpan(1))).ShouldBeFalse();
    }

    [Fact]
    public void Others_signatures_beside_ours_are_no_matter()
    {
        var both = SignedNote.Parse(Signed) with { Signatures = [.. Ours.Sign(Text).Signatures, .. SignedNote.Parse(Signed).Signatures] };
        SignedNote.Parse(both.ToString()).IsSignedBy(Ours.Public).ShouldBeTrue();
        SignedNote.Parse(both.ToString()).IsSignedBy(NoteKey.Parse(Key)).ShouldBeTrue();
        // One of a known key that is false spoils the note.
        (both with { Signatures = [.. both.Signatures, both.Signatures[0] with { Signature = both.Signatures[1].Signature }] }).IsSignedBy(Ours.Public).ShouldBeFalse();
    }

    [Theory]
    [InlineData("")]
    [InlineData("text\n")]
    [InlineData("text\n\n")]
    [InlineData("text\n\n— name x08go/ZJkuBS")]
    [InlineData("text\r\n\n— name x08go/ZJkuBS\n")]
    [InlineData("text\n\n— name\n")]
    [InlineData("text\n\n— na+me x08go/ZJkuBS\n")]
    [InlineData("text\n\n— name x08g\n")]
    [InlineData("text\n\n— name x08go/ZJkuBT=\n")]
    [InlineData("text\n\n- name x08go/ZJkuBS\n")]
    public void What_is_no_signed_note_is_refused(string text) => Should.Throw<FormatException>(() => SignedNote.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")]
    [InlineData("PeterNeumann+c74f20a3+AhpcqQcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")]
    [InlineData("Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")]
    [InlineData("PeterNeumann+c74f20a3")]
    public void What_is_no_key_is_refused(string text) => Should.Throw<FormatException>(() => NoteKey.Parse(text));

    [Fact]
    public void More_than_a_note_may_have_is_refused()
    {
        var line = SignedNote.Parse(Signed).Signatures[0];
        Should.Throw<FormatException>(() => SignedNote.Parse((SignedNote.Parse(Signed) with { Signatures = [.. Enumerable.Repeat(line, SignedNote.MaxSignatures + 1)] }).ToString()));
        Should.Throw<FormatException>(() => SignedNote.Parse(new string('x', SignedNote.MaxLength) + Signed));
    }

    [Fact]
    public void A_checkpoint_comes_back_from_its_text()
    {
        var signed = SignedCheckpoint.Sign(Point, Ours);
        signed.ToString().ShouldStartWith("mail.example.org\n17\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\ntime 2026-11-21T12:00:00Z\n\n— mail.example.org ");
        var read = SignedCheckpoint.Parse(signed.ToString());
        read.Checkpoint.ToString().ShouldBe(Point.ToString());
        read.Checkpoint.Time.ShouldBe(Point.Time);
        read.Note.IsSignedBy(Ours.Public).ShouldBeTrue();
    }

    [Theory]
    [InlineData("origin\n17\n")]
    [InlineData("origin\n017\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")]
    [InlineData("origin\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")]
    [InlineData("origin\n99999999999999999999\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")]
    [InlineData("origin\n17\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\n")]
    [InlineData("origin\n17\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF==\n")]
    [InlineData("\n17\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")]
    [InlineData("origin\n17\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")]
    public void What_is_no_checkpoint_is_refused(string text) => Should.Throw<FormatException>(() => Checkpoint.Parse(text));

    [Fact]
    public void A_file_of_checkpoints_is_read_with_or_without_lines_between_them()
    {
        var one = SignedCheckpoint.Sign(Point, Ours).ToString();
        foreach (var file in (string[])[one + one, $"{one}\n{one}\n", $"\n\n{one}\n\n\n{one}"])
            SignedCheckpoint.ParseAll(file).Select(c => c.ToString()).ShouldBe([one, one]);
        SignedCheckpoint.ParseAll("").ShouldBeEmpty();
        Should.Throw<FormatException>(() => SignedCheckpoint.ParseAll($"{one}\nsomething else\n").ToList()).Message.ShouldStartWith("line 8: ");
    }
}
