namespace EventMail.EventStore.Tests.Proof;

public class HashHeaderTests
{
    private const string Text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    [Theory]
    [InlineData($$$"""{"hash": "{{{Text}}}", "protocol": "imap"}""")]
    [InlineData($$$"""{"a": 1, "hash": "{{{Text}}}"}""")]
    [InlineData($$$"""{"a": {"hash": "x"}, "hash": "{{{Text}}}"}""")]
    [InlineData($$$"""{"hash": "{{{Text}}}", "nested": {"hash": "x"}}""")]
    [InlineData($$$"""{"hash": "{{{Text}}}", "a\"hash": "x"}""")]
    public void The_hash_of_stored_headers_is_found(string headers) =>
        HashHeader.Find(headers).ShouldBe([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);

    [Theory]
    [InlineData(null)]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("""{"hash": "x"}""")]
    [InlineData("""{"hash": 1}""")]
    [InlineData($$$"""{"a": {"hash": "{{{Text}}}"}}""")]
    [InlineData($$$"""[{"hash": "{{{Text}}}"}]""")]
    [InlineData($$$"""{"x\"hash": "{{{Text}}}"}""")]
    [InlineData($$$"""{"x": "\"hash\": \"{{{Text}}}"}""")]
    public void What_is_no_hash_of_ours_is_none(string? headers) => HashHeader.Find(headers).ShouldBeNull();
}
