// peer COMMAND PORT [ARGUMENTS]: a gRPC server and its clients, to compare tuxtape with in the same run.
//   server 0               a synchronous server on a free port of loopback, which it prints; until standard input ends
//   calls PORT N           N empty calls over one connection; prints calls a second
//   connect PORT N         N connections, two at a time: each makes one call and leaves; prints the rate and the 99th percentile
//   stream PORT N SIZE     N records of SIZE bytes; prints milliseconds to the first and to the last, and their number
//   pool PORT N            N connections, each of which has made one call; idle until standard input ends
// Mutual TLS by the variables CERT, KEY and CA; the server's certificate must be for "localhost".
#include "peer.grpc.pb.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

static const unsigned THREADS = 2;

class Service final : public peer::Peer::Service
{
	grpc::Status Health(grpc::ServerContext *, const peer::Nothing *, peer::Nothing *) override
	{
		return grpc::Status::OK;
	}

	grpc::Status Records(grpc::ServerContext *, const peer::Ask *ask, grpc::ServerWriter<peer::Record> *out) override
	{
		peer::Record record;

		record.set_body(std::string(ask->size(), 'x'));
		for (uint32_t i = 0; i < ask->records(); i++)
			if (!out->Write(record))
				return grpc::Status::CANCELLED;
		return grpc::Status::OK;
	}
};

static std::string file_of(const char *variable)
{
	const char *path = getenv(variable);
	std::ifstream in(path ? path : "");
	std::stringstream text;

	text << in.rdbuf();
	if (text.str().empty()) {
		fprintf(stderr, "peer: %s names no file that can be read\n", variable);
		exit(2);
	}
	return text.str();
}

static double now_ms()
{
	using namespace std::chrono;

	return duration<double, std::milli>(steady_clock::now().time_since_epoch()).count();
}

static void wait_for_end()
{
	char c;

	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
}

static int serve()
{
	grpc::SslServerCredentialsOptions how(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
	grpc::ServerBuilder builder;
	Service service;
	int port = 0;

	how.pem_root_certs = file_of("CA");
	how.pem_key_cert_pairs.push_back({ file_of("KEY"), file_of("CERT") });
	builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(how), &port);
	builder.RegisterService(&service);
	std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
	if (!server)
		return 1;
	printf("%d\n", port);
	wait_for_end();
	return 0;
}

struct Dialler {
	std::string target;
	std::shared_ptr<grpc::ChannelCredentials> credentials;

	explicit Dialler(const char *port) : target(std::string("ipv4:127.0.0.1:") + port)
	{
		grpc::SslCredentialsOptions how;

		how.pem_root_certs = file_of("CA");
		how.pem_private_key = file_of("KEY");
		how.pem_cert_chain = file_of("CERT");
		credentials = grpc::SslCredentials(how);
	}

	// Channels of one target would else share a connection.
	std::shared_ptr<grpc::Channel> dial() const
	{
		grpc::ChannelArguments args;

		args.SetSslTargetNameOverride("localhost");
		args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
		return grpc::CreateCustomChannel(target, credentials, args);
	}
};

static bool call(peer::Peer::Stub &stub)
{
	grpc::ClientContext context;
	peer::Nothing request, reply;
	grpc::Status status = stub.Health(&context, request, &reply);

	if (!status.ok())
		fprintf(stderr, "peer: %s\n", status.error_message().c_str());
	return status.ok();
}

static int many_calls(const Dialler &to, unsigned n)
{
	auto stub = peer::Peer::NewStub(to.dial());

	if (!call(*stub))
		return 1;
	double began = now_ms();
	for (unsigned i = 0; i < n; i++)
		if (!call(*stub))
			return 1;
	printf("%.0f\n", n * 1000.0 / (now_ms() - began));
	return 0;
}

static int many_connections(const Dialler &to, unsigned n)
{
	std::vector<std::thread> threads;
	std::vector<double> all;
	std::mutex lock;
	double began = now_ms();

	for (unsigned t = 0; t < THREADS; t++)
		threads.emplace_back([&] {
			for (unsigned i = 0; i < n / THREADS; i++) {
				double then = now_ms();
				bool good = call(*peer::Peer::NewStub(to.dial()));
				std::lock_guard<std::mutex> held(lock);

				if (good)
					all.push_back(now_ms() - then);
			}
		});
	for (auto &t : threads)
		t.join();
	std::sort(all.begin(), all.end());
	if (all.size() < n / THREADS * THREADS)
		return 1;
	printf("%.0f %.1f\n", all.size() * 1000.0 / (now_ms() - began), all[all.size() - 1 - all.size() / 100]);
	return 0;
}

static int stream(const Dialler &to, unsigned n, unsigned size)
{
	auto stub = peer::Peer::NewStub(to.dial());
	double first = 0;
	unsigned got = 0;
	peer::Record record;
	grpc::ClientContext context;
	peer::Ask ask;

	if (!call(*stub))
		return 1;
	ask.set_records(n);
	ask.set_size(size);
	double began = now_ms();
	auto in = stub->Records(&context, ask);
	while (in->Read(&record))
		if (got++ == 0)
			first = now_ms() - began;
	double last = now_ms() - began;
	printf("%.2f %.2f %u\n", first, last, got);
	return in->Finish().ok() && got == n ? 0 : 1;
}

static int pool(const Dialler &to, unsigned n)
{
	std::vector<std::unique_ptr<peer::Peer::Stub>> all;

	for (unsigned i = 0; i < n; i++) {
		all.push_back(peer::Peer::NewStub(to.dial()));
		if (!call(*all.back()))
			return 1;
	}
	printf("ready\n");
	wait_for_end();
	return 0;
}

int main(int argc, char **argv)
{
	std::string command = argc > 2 ? argv[1] : "";
	unsigned n = argc > 3 ? (unsigned)atoi(argv[3]) : 0;

	if (command == "server")
		return serve();
	if (command == "calls")
		return many_calls(Dialler(argv[2]), n);
	if (command == "connect")
		return many_connections(Dialler(argv[2]), n);
	if (command == "stream" && argc > 4)
		return stream(Dialler(argv[2]), n, (unsigned)atoi(argv[4]));
	if (command == "pool")
		return pool(Dialler(argv[2]), n);
	fprintf(stderr, "peer server 0 | calls PORT N | connect PORT N | stream PORT N SIZE | pool PORT N\n");
	return 2;
}
