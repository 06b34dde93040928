using System.Text;
using EventMail.Domain.Messages;

namespace EventMail.Domain.Tests.Messages;

/// <summary>RFC 5256 §2.1</summary>
public sealed class BaseSubjectTests
{
    [Theory]
    [InlineData("", "", false)]
    [InlineData("Hello", "Hello", false)]
    [InlineData("  a \t  b  ", "a b", false)]
    [InlineData("Re: Hello", "Hello", true)]
    [InlineData("RE: re: fw: FWD: Hello", "Hello", true)]
    [InlineData("Re :Hello", "Hello", true)]
    [InlineData("Re[2]: Hello", "Hello", true)]
    [InlineData("Re [list] : Hello", "Hello", true)]
    [InlineData("Regarding: Hello", "Regarding: Hello", false)]
    [InlineData("Re", "Re", false)]
    [InlineData("Re:", "", true)]
    [InlineData("fwdd: Hello", "fwdd: Hello", false)]
    [InlineData("Hello (fwd)", "Hello", true)]
    [InlineData("Hello (FWD) (fwd)  ", "Hello", true)]
    [InlineData("(fwd)", "", true)]
    [InlineData("[list] Hello", "Hello", false)]
    [InlineData("[list] [more] Hello", "Hello", false)]
    [InlineData("[list] Re: Hello", "Hello", true)]
    [InlineData("[a] [b] Re: [c] Fw[d]: [e] Hello", "Hello", true)]
    [InlineData("[list]", "[list]", false)]
    [InlineData("[a] [b]", "[b]", false)]
    [InlineData("Re: [a]", "[a]", true)]
    [InlineData("[a[b] Hello", "[a[b] Hello", false)]
    [InlineData("[open Hello", "[open Hello", false)]
    [InlineData("[fwd: Hello]", "Hello", true)]
    [InlineData("[Fwd: [fwd: re: Hello (fwd)]]", "Hello", true)]
    [InlineData("Re: [fwd: [list] Hello] (fwd)", "Hello", true)]
    [InlineData("[fwd: Hello", "[fwd: Hello", false)]
    [InlineData("[fwd: Hello] more", "more", false)]
    [InlineData("Hello Re: you", "Hello Re: you", false)]
    public void The_base_subject_is_what_the_procedure_leaves(string subject, string expected, bool isReplyOrForward)
    {
        BaseSubject.Of(subject, out var isReply).ShouldBe(expected);
        isReply.ShouldBe(isReplyOrForward);
    }

    [Theory]
    [InlineData("[a]")]
    [InlineData("re:")]
    [InlineData("[a]re:")]
    [InlineData("[fwd:")]
    [InlineData("re[")]
    public void However_often_a_subject_nests_it_is_read_once(string prefix)
    {
        var subject = new StringBuilder();
        for (var i = 0; i < 200_000; i++)
            subject.Append(prefix);
        subject.Append('x').Append(']', prefix == "[fwd:" ? 200_000 : 1);
        var started = System.Diagnostics.Stopwatch.StartNew();
        BaseSubject.Of(subject.ToString(), out _);
        started.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(60));
    }
}
