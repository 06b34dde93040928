using EventMail.Host.Moving.Export;
using EventMail.Testing;

namespace EventMail.Host.Tests.Moving;

/// <summary>Where an export puts mailboxes, whose names are anything that a client may think of.</summary>
public sealed class FilePathsTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("INBOX", "INBOX")]
    [InlineData("..", "__")]
    [InlineData(".", "_")]
    [InlineData(".hidden", "_hidden")]
    [InlineData("a.", "a_")]
    [InlineData("a. ", "a._")]
    [InlineData("a\0b\tc", "a_b_c")]
    [InlineData("Re: what?", "Re_ what_")]
    [InlineData(@"C:\x", "C__x")]
    [InlineData("nul", "_nul")]
    [InlineData("Com1.old", "_Com1.old")]
    [InlineData("Null", "Null")]
    [InlineData("Été", "Été")]
    public void What_a_file_system_cannot_hold_is_another_character(string level, string name) => FileName.Of(level, 255).ShouldBe(name);

    [Fact]
    public void What_is_too_long_is_cut_between_characters()
    {
        FileName.Of(new string('Б', 200), 255).ShouldBe(new string('Б', 127));
        FileName.Of("𝄞𝄞", 7).ShouldBe("𝄞");
        FileName.Of("ab.cd", 3).ShouldBe("ab_");
    }

    [Fact]
    public void A_file_and_a_folder_of_one_name_are_two()
    {
        var paths = new FilePaths(_folder.Path);
        Files(paths, "a", "a.mbox/b", "a/b", "c.mbox/d", "c").ShouldBe(["a.mbox", "a.mbox~2/b.mbox", "a/b.mbox", "c.mbox/d.mbox", "c~2.mbox"]);
        paths.Renamed.Select(renamed => renamed.Name).ShouldBe(["a.mbox/b", "c"]);
    }

    [Fact]
    public void Names_that_differ_in_capitals_or_in_what_cannot_be_held_are_two()
    {
        Files(new(_folder.Path), "Work", "work", "WORK", "work/x", "Work/x", "a:b", "a?b", "a_b", "a~2").ShouldBe(
            ["Work.mbox", "work~2.mbox", "WORK~3.mbox", "work/x.mbox", "Work~2/x.mbox", "a_b.mbox", "a_b~2.mbox", "a_b~3.mbox", "a~2.mbox"]);
    }

    [Fact]
    public void A_name_of_as_many_octets_as_there_may_be_has_room_for_its_number()
    {
        var longest = new string('x', 250);
        foreach (var path in Files(new(_folder.Path), longest, longest.ToUpperInvariant(), $"{longest}.mbox/y"))
        {
            Path.GetFileName(path).Length.ShouldBeLessThanOrEqualTo(255);
            File.WriteAllText(Path.Combine(_folder.Path, path), "");
        }
    }

    [Fact]
    public void What_is_a_messages_own_name_is_no_mailboxs()
    {
        var paths = new FilePaths(_folder.Path, EmlTarget.IsOwn);
        string[] names = ["a", "a/index.jsonl", "a/0000000001.eml", "a/Index.JSONL/b", "index.jsonl"];
        names.Select(name => Path.GetRelativePath(_folder.Path, paths.FolderOf(name))).ShouldBe(
            ["a", "a/index.jsonl~2", "a/0000000001.eml~2", "a/Index.JSONL~3/b", "index.jsonl~2"]);
    }

    [Fact]
    public void The_same_names_have_the_same_paths_again()
    {
        string[] names = ["a", "A", "a/b", "A/b"];
        var first = names.Select(new FilePaths(_folder.Path, again: true).FolderOf).ToList();
        first.ShouldBeUnique();
        names.Select(new FilePaths(_folder.Path, again: true).FolderOf).ShouldBe(first);
    }

    private IEnumerable<string> Files(FilePaths paths, params IEnumerable<string> names) =>
        [.. names.Select(name => Path.GetRelativePath(_folder.Path, paths.FileOf(name, ".mbox")))];
}
